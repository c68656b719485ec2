/** The process log's way out: standard error, without ever blocking or growing without bound where nobody reads it. */

/** Bytes that may wait for a reader; lines beyond that are dropped. */
const MAX_WAITING = 1_048_576;

/** Takes lines from all threads. */
export function openProcessLogSink(stream: NodeJS.WriteStream = process.stderr): (line: string) => void {
  let dropped = 0;
  // Nobody is left to tell that standard error fails. One listener will do for all logs of the process.
  if (stream.listenerCount("error") === 0) stream.on("error", () => undefined);
  return (line) => {
    if (stream.writableLength > MAX_WAITING) {
      dropped++;
      return;
    }
    if (dropped > 0) {
      stream.write(`${dropped} log lines dropped: standard error is not read\n`);
      dropped = 0;
    }
    stream.write(`${line}\n`);
  };
}
