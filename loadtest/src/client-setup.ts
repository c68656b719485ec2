// What the harness tells its own client programs: one JSON object as their argument.
import { join } from "node:path";
import { fieldsOf } from "./fields.ts";
import type { Launch } from "./processes.ts";
import { repository } from "./tools.ts";

/** What a client program is told. */
export interface ClientSetup {
  readonly port: number;
  /** Connections or sockets at once. */
  readonly connections: number;
  readonly seconds: number;
  /** Requests separated by NUL bytes; empty for datagrams. */
  readonly requestFile: string;
  /** File of the certificate that the proxy presents; empty where there is no TLS. */
  readonly certificate: string;
  /** Handshakes: whether each resumes the session before it. */
  readonly sessions: "new" | "resumed";
  /** Handshakes a second that are begun; zero for as many as there can be. */
  readonly rate: number;
}

/** How to start a client program of the harness, given by its path below loadtest/src. */
export function clientLaunch(program: string, setup: ClientSetup): Launch {
  return { command: process.execPath, args: [join(repository, "loadtest/src", program), JSON.stringify(setup)] };
}

/** Reads a client program's argument; throws when it is incomplete. */
export function decodeClientSetup(text: string): ClientSetup {
  const given: unknown = JSON.parse(text);
  const setup = fieldsOf(given, "the client's setup");
  const sessions = setup.text("sessions");
  if (sessions !== "new" && sessions !== "resumed") throw new Error(`sessions are new or resumed, not ${sessions}`);
  return {
    port: setup.number("port"),
    connections: setup.number("connections"),
    seconds: setup.number("seconds"),
    requestFile: setup.text("requestFile"),
    certificate: setup.text("certificate"),
    sessions,
    rate: setup.number("rate"),
  };
}
