// How much processor time work takes: unlike the time on the clock, it does not grow with what else the machine does.

/** Milliseconds of processor time this process spends, all its threads together, while `work` runs. */
export function processorTime(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
