// Loaded into the soaked daemon before it starts: SIGUSR2 has it collect its garbage, so that the heap that is read is what it holds.
process.on("SIGUSR2", () => globalThis.gc());
