// A run that has failed ends, whatever its tests have left open: nobody hears of a failure whose run hangs. One that has passed ends by
// itself, or shows that something was left open.

/** Time enough for the teardown and for Jest's own words (ms). */
const ENDS_WITHIN = 8_000;

export default class {
  onRunComplete(_, { numFailedTestSuites }) {
    if (numFailedTestSuites > 0) setTimeout(() => process.exit(1), ENDS_WITHIN).unref();
  }
}
