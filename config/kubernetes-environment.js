// Where the suites on a control plane run: as the others. A worker ends with the run that started it, however that ended, and so do
// the planes that the worker has started: they would go on to their suite's end, and nobody would hear of it.
import TestEnvironment from "./test-environment.js";

// Looked at, not listened for: a listener would keep a worker that is done from ending.
if (process.connected) setInterval(() => process.connected || process.exit(1), 500).unref();

export default TestEnvironment;
