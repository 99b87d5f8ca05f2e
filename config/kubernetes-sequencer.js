// The order of the suites on a control plane: long ones first, so that no worker is left alone with one at the end, and always the
// same, whatever this machine remembers of earlier runs. Last what says how soon something must be told: the machine is quiet then.
const FIRST = [
  "limits-real",
  "contract-real",
  "reasons-real",
  "outage-real",
  "node-failures",
  "leadership-real",
  "contract-local",
  "node-fiftyone",
  "templates-real",
];
const LAST = ["rows", "told-real"];

const placeOf = ({ path }) => {
  const isOf = (name) => path.endsWith(`/${name}.test.ts`);
  const [first, last] = [FIRST.findIndex(isOf), LAST.findIndex(isOf)];
  return first >= 0 ? first - FIRST.length : last + 1;
};

export default class {
  sort(tests) {
    return [...tests].sort((a, b) => placeOf(a) - placeOf(b) || (a.path < b.path ? -1 : 1));
  }
  allFailedTests(tests) {
    return this.sort(tests);
  }
  cacheResults() {
    // Nothing is remembered.
  }
}
