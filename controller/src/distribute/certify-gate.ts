/**
 * Who may ask for a certificate has shown nothing yet. It is let in before a byte of its message is read: only so often for each
 * address, so many at one time, and not for long. What waits in half-read messages is thereby bounded, whoever connects.
 */
import { clearTimeout, setTimeout } from "node:timers";
import {
  ResponderBuilder,
  ServerInterceptingCall,
  type ServerInterceptor,
  ServerListenerBuilder,
  status,
} from "@grpc/grpc-js";
import { CERTIFY_METHOD } from "@sallyport/model/distribution";
import { fail, ok, type Result } from "@sallyport/model/result";
import { PeerRate } from "../identity/peer-rate.ts";

/** A proxy asks twice a day, and at most every second where something is wrong. */
const RATE = { burst: 20, interval: 500 } as const;
/** Requests whose message is not there yet. */
const MOST_OF_PEER = 8;
const MOST = 128;
/** Milliseconds a message may take. */
const PATIENCE = 10_000;

/** Counts who is coming in. */
class CertifyGate {
  readonly #rate = new PeerRate(RATE);
  readonly #open = new Map<string, number>();
  #count = 0;

  /** Lets a request of this address in (`now` is milliseconds of a steady clock). Returns what is called once when all of it is there, or it is over. */
  enter(peer: string, now: number): Result<() => void, string> {
    const count = this.#open.get(peer) ?? 0;
    if (count >= MOST_OF_PEER) return fail(`${peer} has ${count} requests open already`);
    if (this.#count >= MOST) return fail("too many requests for certificates are open; try again");
    if (!this.#rate.take(peer, now)) return fail(`${peer} asks too often; wait a second`);
    this.#open.set(peer, count + 1);
    this.#count += 1;
    return ok(() => this.#leave(peer));
  }

  #leave(peer: string): void {
    this.#count -= 1;
    const left = (this.#open.get(peer) ?? 1) - 1;
    if (left > 0) this.#open.set(peer, left);
    else this.#open.delete(peer);
  }
}

/** Stands before the method that gives certificates, and before no other. */
export function toCertifyGuard(patience = PATIENCE): ServerInterceptor {
  const gate = new CertifyGate();
  return (method, call) => {
    if (method.path !== CERTIFY_METHOD) return new ServerInterceptingCall(call);
    const stop = (code: status, details: string): void => call.sendStatus({ code, details, metadata: null });
    let end = (): void => undefined;
    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, next) => {
        const entry = gate.enter(toAddress(call.getPeer()), performance.now());
        if (!entry.ok) return stop(status.RESOURCE_EXHAUSTED, entry.error);
        const timer = setTimeout(() => stop(status.DEADLINE_EXCEEDED, "the request did not come in time"), patience);
        timer.unref();
        end = once(() => {
          clearTimeout(timer);
          entry.value();
        });
        next(metadata);
      })
      .withOnReceiveMessage((message, next) => {
        end();
        next(message);
      })
      .withOnCancel(() => end())
      .build();
    return new ServerInterceptingCall(call, new ResponderBuilder().withStart((next) => next(listener)).build());
  };
}

/** `ADDRESS:PORT` without the port. */
export function toAddress(peer: string): string {
  return peer.replace(/:\d+$/, "");
}

function once(action: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    action();
  };
}
