/** The two calls of a proxy to its controller, over grpc-js. Loaded when the proxy first needs it: it brings node:http2 and node:tls. */
import { readFile } from "node:fs/promises";
import { Client, type ClientDuplexStream, credentials, type ServiceError, status } from "@grpc/grpc-js";
import {
  CERTIFY_METHOD,
  type CertifyResponse,
  CONFIGURE_METHOD,
  CONTROLLER_MESSAGE_BYTES,
  type ProxyMessage,
} from "@sallyport/model/distribution";
import { decodeCertifyResponse, encodeMessage } from "@sallyport/model/message";
import { ConnectionFailure, type RemoteOptions } from "./contract.ts";
import type { Certificate } from "./identity.ts";

/** Milliseconds a certificate may take. */
const CERTIFY_TIME = 10_000;
/** Milliseconds a connection may take. What knocks at a Service whose pod has just gone is lost, and would wait for minutes. */
const CONNECT_TIME = 5_000;

const CHANNEL_OPTIONS = {
  "grpc.max_receive_message_length": CONTROLLER_MESSAGE_BYTES,
  // A controller that is gone is noticed within half a minute.
  "grpc.keepalive_time_ms": 20_000,
  "grpc.keepalive_timeout_ms": 10_000,
  // Each connection is made anew, with the files as they are then and to whichever replica is there.
  "grpc.use_local_subchannel_pool": 1,
  "grpc.enable_retries": 0,
  "grpc.enable_http_proxy": 0,
  "grpc.service_config_disable_resolution": 1,
  "grpc.service_config": JSON.stringify({ loadBalancingConfig: [{ pick_first: { shuffleAddressList: true } }] }),
};

type Place = Pick<RemoteOptions, "controller" | "caFile">;

/** Asks for a certificate. Rejects with a ConnectionFailure. */
export async function certify(place: Place, request: { csr: string; token: string }): Promise<CertifyResponse> {
  const client = await openClient(place, undefined);
  try {
    const bytes = await new Promise<Buffer>((resolve, reject) => {
      client.makeUnaryRequest(
        CERTIFY_METHOD,
        pass,
        pass,
        Buffer.from(encodeMessage(request)),
        { deadline: Date.now() + CERTIFY_TIME },
        (error, answer) => (error === null && answer !== undefined ? resolve(answer) : reject(toFailure(error, place))),
      );
    });
    const response = decodeCertifyResponse(bytes);
    if (!response.ok)
      throw new ConnectionFailure(`the controller's certificate is unreadable: ${response.error}`, "retry");
    return response.value;
  } finally {
    client.close();
  }
}

/** An open stream. */
export interface Stream {
  send(message: ProxyMessage): void;
  /** Stops the messages until resumed. */
  pause(): void;
  resume(): void;
  close(): void;
}

/** Who listens to a stream. */
export interface StreamListener {
  readonly onMessage: (bytes: Uint8Array) => void;
  /** Called once, whoever ended it. */
  readonly onEnd: (failure: ConnectionFailure) => void;
}

/** Opens the stream of the configuration. Rejects with a ConnectionFailure where a file cannot be read. */
export async function openStream(place: Place, certificate: Certificate, listener: StreamListener): Promise<Stream> {
  const client = await openClient(place, certificate);
  const call: ClientDuplexStream<Buffer, Buffer> = client.makeBidiStreamRequest(CONFIGURE_METHOD, pass, pass);
  let isEnded = false;
  const end = (failure: ConnectionFailure): void => {
    if (isEnded) return;
    isEnded = true;
    client.close();
    listener.onEnd(failure);
  };
  call.on("data", (bytes: Buffer) => listener.onMessage(bytes));
  call.on("error", (error: ServiceError) => end(toFailure(error, place)));
  call.on("end", () => end(new ConnectionFailure(`${place.controller} ended the stream`, "retry")));
  client.waitForReady(Date.now() + CONNECT_TIME, (error) => {
    if (error !== undefined)
      end(new ConnectionFailure(`no connection to ${place.controller} came up in time`, "retry"));
  });
  return {
    send: (message) => void call.write(Buffer.from(encodeMessage(message))),
    pause: () => void call.pause(),
    resume: () => void call.resume(),
    close: () => call.cancel(),
  };
}

async function openClient({ controller, caFile }: Place, certificate: Certificate | undefined): Promise<Client> {
  const ca = await readOwn(caFile, "--ca", "the ConfigMap with the controller's ca.crt");
  try {
    const channel =
      certificate === undefined
        ? credentials.createSsl(ca)
        : credentials.createSsl(ca, Buffer.from(certificate.key), Buffer.from(certificate.chain));
    return new Client(`dns:///${controller}`, channel, CHANNEL_OPTIONS);
  } catch (error) {
    throw new ConnectionFailure(`${caFile} (--ca) holds no certificates in PEM`, "retry", error);
  }
}

/** A file that must be mounted. */
export async function readOwn(path: string, option: string, what: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ConnectionFailure(`${option} cannot be read (${why}); is ${what} mounted there?`, "retry", error);
  }
}

function pass(bytes: Buffer): Buffer {
  return bytes;
}

/** One sentence for people; whether a new certificate would help. */
function toFailure(error: ServiceError | null, { controller }: Place): ConnectionFailure {
  const details = error?.details ?? "no answer";
  if (error?.code === status.UNAUTHENTICATED)
    return new ConnectionFailure(`${controller} does not know who we are: ${details}`, "certificate", error);
  if (error?.code === status.PERMISSION_DENIED)
    return new ConnectionFailure(`${controller} denies the configuration: ${details}`, "retry", error);
  if (error?.code === status.UNAVAILABLE && /certificate|issuer|self.signed/i.test(details))
    return new ConnectionFailure(
      `${controller} shows a certificate that --ca does not know or of another name: ${details}`,
      "retry",
      error,
    );
  return new ConnectionFailure(`${controller}: ${details}`, "retry", error ?? undefined);
}
