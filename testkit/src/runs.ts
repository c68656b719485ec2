// How long what is left to chance goes on: the usual number of histories, or many more of them where there is time.

/** From the environment, so that longer searches need no edit: SALLYPORT_TEST_RUNS=10 is ten times as many. */
const FACTOR = Number(process.env["SALLYPORT_TEST_RUNS"] ?? 1);

/** How many random histories to try where `usual` do for every day. */
export function runs(usual: number): number {
  return Math.ceil(usual * FACTOR);
}
