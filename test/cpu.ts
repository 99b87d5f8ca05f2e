// How long this process has worked for something, however busy others keep the machine: wall time would tell of them, too.

/** @returns what is called at the end, for the milliseconds of processor time since */
export function cpuTimer(): () => number {
  const begun = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(begun);
    return (user + system) / 1_000;
  };
}
