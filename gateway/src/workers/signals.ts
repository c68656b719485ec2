/** Signals of the process: the first SIGTERM or SIGINT drains, the second closes, SIGUSR1 opens the access log anew. */

/** What signals do. */
export interface SignalActions {
  drain(signal: string): void;
  close(signal: string): void;
  reopenLog(): void;
}

/** Begins to listen; returns what ends it. */
export function listenToSignals(actions: SignalActions): () => void {
  let draining = false;
  const end = (signal: NodeJS.Signals): void => {
    if (draining) return actions.close(signal);
    draining = true;
    actions.drain(signal);
  };
  const reopen = (): void => actions.reopenLog();
  process.on("SIGTERM", end);
  process.on("SIGINT", end);
  // Node's own use of this signal, to open its debugger, ends with a listener of ours.
  process.on("SIGUSR1", reopen);
  return () => {
    process.off("SIGTERM", end);
    process.off("SIGINT", end);
    process.off("SIGUSR1", reopen);
  };
}
