/** Where the controller's parts say what an operator needs: a constant message with fields. The command gives the real one. */

/** Levels by who must act: error (somebody now), warn (somebody soon), info (nobody), debug (a developer). */
export interface ControllerLog {
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
}
