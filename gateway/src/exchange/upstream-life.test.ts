/** What owner and metrics hear of a connection to an endpoint. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConnectionOwner, UpstreamConnection } from "../cluster/contract.ts";
import { Wheel } from "../time/wheel.ts";
import { UpstreamLife, type LivingConnection } from "./upstream-life.ts";

const TICK = 100;
const TIMEOUT = 1000;

function begin(): { life: UpstreamLife; heard: string[]; pass: (milliseconds: number) => void } {
  const heard: string[] = [];
  const coarse = new Wheel(TICK);
  const say = (what: string) => (): unknown => heard.push(what);
  const owner: ConnectionOwner = {
    onConnected: say("connected"),
    onIdle: say("idle"),
    onCapacity: say("capacity"),
    onDraining: say("draining"),
    onClosed: (_connection: UpstreamConnection, failure) => heard.push(`closed ${failure ?? ""}`.trim()),
  };
  const connection: LivingConnection = {
    endpoint: {
      address: "192.0.2.1",
      port: 80,
      label: "192.0.2.1:80",
      session: "",
      active: () => 0,
      noteAnswer() {},
      noteFailure() {},
    },
    capacity: 1,
    settled: true,
    upgradable: true,
    connected: false,
    failureDetail: "",
    open: () => assert.fail("no request is put on it"),
    close() {},
    lose: (reason) => {
      heard.push(`lost ${reason}`);
      life.close(reason);
    },
    failInside: say("bug"),
  };
  const life = new UpstreamLife(
    connection,
    { owner, connectTimeout: TIMEOUT },
    {
      clocks: { coarse, fine: new Wheel(TICK) },
      log: { error: (_message, { endpoint }) => heard.push(`error ${String(endpoint)}`), warn: say("warning") },
      recorder: { upstreamConnect: (outcome) => heard.push(`count ${outcome}`), upstreamClosed: say("count closed") },
    },
  );
  const pass = (milliseconds: number): void => {
    for (let at = 0; at < milliseconds; at += TICK) coarse.advance();
  };
  return { life, heard, pass };
}

test("a connection that does not come up in time is lost, and counted as that alone", () => {
  const { life, heard, pass } = begin();
  life.awaitConnect();
  pass(TIMEOUT);
  assert.deepEqual(heard, []);
  pass(2 * TICK);
  assert.deepEqual(heard, ["count timeout", "lost connect-timeout", "closed connect-timeout"]);
});

test("one that is up has no time limit, and its end is told and counted once", () => {
  const { life, heard, pass } = begin();
  life.awaitConnect();
  life.up();
  assert.ok(life.connected);
  pass(10 * TIMEOUT);
  life.close();
  life.close("connect-failure");
  assert.deepEqual(heard, ["count success", "connected", "count closed", "closed"]);
});

test("one that was given up before it was up is waited for no longer", () => {
  const { life, heard, pass } = begin();
  life.awaitConnect();
  life.failed("the certificate has expired");
  life.close("upstream-tls-failure");
  pass(10 * TIMEOUT);
  assert.equal(life.failureDetail, "the certificate has expired");
  assert.deepEqual(heard, ["count failure", "closed upstream-tls-failure"]);
});

test("one on which something has a life of its own is neither up nor waited for", () => {
  const { life, heard, pass } = begin();
  life.awaitConnect();
  life.settle();
  pass(10 * TIMEOUT);
  assert.ok(!life.connected);
  assert.deepEqual(heard, []);
});

test("what is thrown inside is logged with the endpoint, and ends the connection", () => {
  const { life, heard } = begin();
  life.guard(() => {
    throw new Error("a bug");
  });
  assert.deepEqual(heard, ["error 192.0.2.1:80", "bug"]);
});

test("an alert of TLS says something only before anything was read", () => {
  const { life } = begin();
  const alert = Object.assign(new Error("alert"), { code: "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED" });
  assert.equal(life.reasonOf(alert, false), "upstream-reset");
  assert.equal(life.reasonOf(new Error("read ECONNRESET"), true), "upstream-reset");
  assert.equal(life.failureDetail, "");
  assert.equal(life.reasonOf(alert, true), "upstream-tls-failure");
  assert.notEqual(life.failureDetail, "");
});
