// The cheapest upstream side that node:net allows, for the uWebSockets.js baseline: keep-alive connections, one request at
// a time on each, answers with a Content-Length only, gathered whole.
import { connect, type Socket } from "node:net";

/** A whole answer of the backend. */
export interface LeanAnswer {
  /** Status code and reason as they came: `200 OK`. */
  readonly status: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** Called once for a request: with the answer, or undefined when the connection failed. */
export type LeanReply = (answer: LeanAnswer | undefined) => void;

interface Connection {
  readonly socket: Socket;
  text: string;
  reply: LeanReply | undefined;
}

/** A pool of connections to one port, as many as there are requests at once. */
export class LeanUpstream {
  readonly #port: number;
  readonly #idle: Connection[] = [];

  constructor(port: number) {
    this.#port = port;
  }

  /** Sends the bytes of one request. */
  exchange(request: string, reply: LeanReply): void {
    const connection = this.#idle.pop() ?? this.#open();
    connection.reply = reply;
    connection.socket.write(request, "latin1");
  }

  #open(): Connection {
    const socket = connect({ port: this.#port, host: "127.0.0.1", noDelay: true });
    const connection: Connection = { socket, text: "", reply: undefined };
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => this.#receive(connection, text));
    socket.on("error", () => {});
    socket.on("close", () => this.#lose(connection));
    return connection;
  }

  #receive(connection: Connection, text: string): void {
    connection.text += text;
    const headEnd = connection.text.indexOf("\r\n\r\n");
    if (headEnd < 0) return;
    const head = connection.text.slice(0, headEnd);
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? Number.NaN);
    if (Number.isNaN(length)) {
      connection.socket.destroy();
      return;
    }
    if (connection.text.length < headEnd + 4 + length) return;
    const body = connection.text.slice(headEnd + 4);
    const { reply } = connection;
    connection.text = "";
    connection.reply = undefined;
    this.#idle.push(connection);
    reply?.(parseAnswer(head, body));
  }

  #lose(connection: Connection): void {
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    connection.reply?.(undefined);
    connection.reply = undefined;
  }
}

function parseAnswer(head: string, body: string): LeanAnswer {
  const [statusLine = "", ...lines] = head.split("\r\n");
  const fields = lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  return { status: statusLine.slice("HTTP/1.1 ".length), fields, body };
}
