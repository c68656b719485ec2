import assert from "node:assert/strict";
import { test } from "node:test";
import { HealthMessages } from "./health-messages.ts";

test("endpoints that are not fit are warned of, and that they are again is told", () => {
  const lines: string[] = [];
  const log = {
    info: (line: string) => void lines.push(`info ${line}`),
    warn: (line: string) => void lines.push(`warn ${line}`),
  };
  const messages = new HealthMessages(log, () => 0);
  messages.say("endpoint ejected", {});
  messages.say("endpoint should be ejected, but too many are", {});
  messages.say("endpoint is back after its ejection", {});
  messages.say("endpoint is unhealthy: its health check fails", {});
  messages.say("endpoint is healthy", {});
  assert.deepEqual(
    lines.map((line) => line.slice(0, 4)),
    ["warn", "warn", "info", "warn", "info"],
  );
});
