// Proxies that serve nothing: each has a connection and a stream of its own, takes whatever it is sent, and says so.
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { Client, type ClientDuplexStream, type ServiceError, credentials } from "@grpc/grpc-js";
import { CERTIFY_METHOD, CONFIGURE_METHOD, TOKEN_AUDIENCE } from "@sallyport/model/distribution";
import { decodeCertifyResponse, decodeControllerMessage, encodeMessage } from "@sallyport/model/message";
import { type Resource, toResourceId } from "@sallyport/model/snapshot";
import type { TemporaryDirectory } from "@sallyport/testkit/temporary-directory";
import type { RealApiServer } from "../controller/api-server.ts";
import { NAMESPACE } from "./fleet.ts";

/** Where proxies connect, and as whom. */
export interface ProxyPlace {
  /** `host:port` of the controller. */
  readonly address: string;
  readonly group: string;
  /** PEM of the controller's authority, and of the certificate of the group's account. */
  readonly authority: Buffer;
  readonly key: Buffer;
  readonly chain: Buffer;
}

/** A certificate is made out for this name. */
const SERVER_NAME = "sallyport-controller.sallyport-system.svc";
const CHANNEL = {
  "grpc.ssl_target_name_override": SERVER_NAME,
  "grpc.default_authority": SERVER_NAME,
  "grpc.max_receive_message_length": -1,
  "grpc.use_local_subchannel_pool": 1,
  "grpc.enable_retries": 0,
};
/** How a change begins: the rest is read by one proxy of a fleet only. */
const HEAD = /^\{"kind":"change","nonce":(\d+),"more":(true|false)/;
const RECONNECT = 250;

/** Gets the certificate that all proxies of a group show, as each of them would get one of its own. */
export async function certify(
  server: RealApiServer,
  directory: TemporaryDirectory,
  { address, group, account }: { readonly address: string; readonly group: string; readonly account: string },
): Promise<ProxyPlace> {
  const path = await server.kubectl(["-n", "sallyport-system", "get", "secret", "sallyport-ca", "-o", "json"]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a Secret that the controller made
  const { data } = JSON.parse(path) as { readonly data: Readonly<Record<string, string>> };
  const authority = Buffer.from(data["tls.crt"] ?? "", "base64");
  const token = await createToken(server, account);
  const [key, request] = [directory.file("proxy.key"), directory.file("proxy.csr")];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
  await promisify(execFile)("openssl", [
    ...["req", "-new", ...curve, "-nodes", "-subj", "/CN=proxy"],
    ...["-keyout", key, "-out", request],
  ]);
  const client = new Client(address, credentials.createSsl(authority), CHANNEL);
  const csr = await readFile(request, "utf8");
  const answer = await new Promise<Buffer>((resolve, reject) => {
    const sent = Buffer.from(encodeMessage({ csr, token: token.trim() }));
    client.makeUnaryRequest(CERTIFY_METHOD, pass, pass, sent, (error, bytes) =>
      error === null && bytes !== undefined ? resolve(bytes) : reject(error ?? new Error("no answer")),
    );
  });
  client.close();
  const certificate = decodeCertifyResponse(answer);
  if (!certificate.ok) throw new Error(certificate.error);
  return { address, group, authority, key: await readFile(key), chain: Buffer.from(certificate.value.chain) };
}

/** Tokens of proxies are bound to their pods; this one is of a pod that nothing runs. */
async function createToken(server: RealApiServer, account: string): Promise<string> {
  const pod = { serviceAccountName: account, containers: [{ name: "proxy", image: "none" }] };
  const settings = ["--image=none", "--restart=Never", `--overrides=${JSON.stringify({ spec: pod })}`];
  await server.kubectl(["-n", NAMESPACE, "run", "proxy", ...settings]);
  const bound = ["--bound-object-kind=Pod", "--bound-object-name=proxy"];
  return server.kubectl(["-n", NAMESPACE, "create", "token", account, `--audience=${TOKEN_AUDIENCE}`, ...bound]);
}

/** Proxies of one group. The first of them reads what it is sent, for all of them are sent the same. */
export class ProxyFleet {
  readonly #place: ProxyPlace;
  readonly #proxies: readonly FakeProxy[];
  /** What they hold, by the first one's account. */
  readonly #held = new Map<string, string>();
  /** Called with each resource as it comes to the first proxy. */
  onResource: (resource: Resource) => void = () => undefined;
  /** Called after each change that a proxy took. */
  onTaken: () => void = () => undefined;

  constructor(place: ProxyPlace, count: number) {
    this.#place = place;
    this.#proxies = Array.from({ length: count }, (_, index) => new FakeProxy(index, this));
  }

  get place(): ProxyPlace {
    return this.#place;
  }

  get held(): ReadonlyMap<string, string> {
    return this.#held;
  }

  /** Changes that were taken, of all proxies. */
  get taken(): number {
    return this.#proxies.reduce((sum, { taken }) => sum + taken, 0);
  }

  /** Proxies that took a change on the connection they have now. */
  get current(): number {
    return this.#proxies.filter(({ isCurrent }) => isCurrent).length;
  }

  /** Bytes of messages they got. */
  get bytes(): number {
    return this.#proxies.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  connect(): void {
    for (const proxy of this.#proxies) proxy.connect();
  }

  close(): void {
    for (const proxy of this.#proxies) proxy.close();
  }

  /** The first proxy's reading of a part. */
  read(bytes: Uint8Array): void {
    const message = decodeControllerMessage(bytes);
    if (!message.ok || message.value.kind !== "change") return;
    for (const id of message.value.removed) this.#held.delete(id);
    for (const { version, resource } of message.value.upserted) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is measured is when it comes, not what it says
      const known = resource as Resource;
      this.#held.set(toResourceId(known), version);
      this.onResource(known);
    }
  }
}

class FakeProxy {
  readonly #index: number;
  readonly #fleet: ProxyFleet;
  #client: Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  isCurrent = false;
  taken = 0;
  bytes = 0;

  constructor(index: number, fleet: ProxyFleet) {
    this.#index = index;
    this.#fleet = fleet;
  }

  /** Connects, and again whenever the stream ends. */
  connect(): void {
    const { address, authority, key, chain, group } = this.#fleet.place;
    const client = new Client(address, credentials.createSsl(authority, key, chain), CHANNEL);
    this.#client = client;
    const call: ClientDuplexStream<Buffer, Buffer> = client.makeBidiStreamRequest(CONFIGURE_METHOD, pass, pass);
    call.on("data", (bytes: Buffer) => this.#take(call, bytes));
    call.on("error", (error: ServiceError) => this.#retry(error.details));
    const resources = Object.fromEntries(this.#fleet.held);
    const hello = { kind: "hello", group, proxy: `proxy-${this.#index}`, version: "scale", resources } as const;
    call.write(Buffer.from(encodeMessage(hello)));
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#client?.close();
  }

  #take(call: ClientDuplexStream<Buffer, Buffer>, bytes: Buffer): void {
    this.bytes += bytes.length;
    const [, nonce = "", more] = HEAD.exec(bytes.toString("latin1", 0, 80)) ?? [];
    if (more === undefined) return;
    if (this.#index === 0) this.#fleet.read(bytes);
    if (more === "true") return;
    call.write(Buffer.from(encodeMessage({ kind: "ack", nonce: Number(nonce) })));
    this.isCurrent = true;
    this.taken += 1;
    this.#fleet.onTaken();
  }

  #retry(why: string): void {
    this.isCurrent = false;
    this.#client?.close();
    if (this.#isClosed) return;
    if (process.env["SCALE_DEBUG"] !== undefined) console.error(`proxy ${this.#index}: ${why}`);
    this.#timer = setTimeout(() => this.connect(), RECONNECT * (0.5 + Math.random()));
  }
}

function pass(bytes: Buffer): Buffer {
  return bytes;
}
