/** Bodies of requests: a limit of what clients send, and requests that wait until they are whole. */
import { connect, type Socket } from "node:net";
import { once } from "node:events";
import type { Scenario } from "../scenario.ts";
import type { Shop } from "../shop.ts";

/** What `try.ts request-bodies` runs. */
export const requestBodies: Scenario = {
  title: "a limit of what clients send, and requests that wait until they are whole",
  async run(shop) {
    await showLimit(shop);
    await showSlowUpload(shop);
  },
};

async function showLimit(shop: Shop): Promise<void> {
  shop.say("an order of 60 KiB, one of 100 KiB, and one of 100 KiB that does not say its length:");
  const { requests } = await shop.seen("checkout");
  const small = await shop.ask("/api/orders", { method: "POST", body: "x".repeat(60 * 1024) });
  const large = await shop.ask("/api/orders", { method: "POST", body: "x".repeat(100 * 1024) });
  const chunked = await shop.ask("/api/orders", {
    method: "POST",
    body: Array<string>(10).fill("x".repeat(10 * 1024)),
  });
  shop.say(`  ${small.status}, ${large.status}, ${chunked.status}`);
  shop.expect(small.status === 201, "what is within the limit is served");
  shop.expect(large.status === 413 && chunked.status === 413, "what is beyond it is answered 413");
  shop.expect((await shop.seen("checkout")).requests === requests + 1, "and checkout saw nothing of that");
}

async function showSlowUpload(shop: Shop): Promise<void> {
  shop.say("a client sends half of an order, and stops:");
  const { requests } = await shop.seen("checkout");
  const socket = connect(shop.ports.gateway, "127.0.0.1");
  await once(socket, "connect");
  socket.write(
    "POST /api/orders HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n",
  );
  socket.write("5\r\nrope,\r\n");
  await shop.askInTurn(3, "/api/orders");
  const seen = (await shop.seen("checkout")).requests - requests;
  shop.say(`  three other requests later, checkout has seen ${seen}`);
  shop.expect(seen === 3, "it does not wait for the slow client");
  socket.write("3\r\nkey\r\n0\r\n\r\n");
  const answer = await readAll(socket);
  shop.say(`the client sends the rest: ${answer.split("\r\n")[0]}`);
  shop.expect(answer.includes(" 201 ") && answer.includes('"items":2'), "the order is made as a whole");
}

async function readAll(socket: Socket): Promise<string> {
  let text = "";
  socket.setEncoding("utf8").on("data", (piece: string) => (text += piece));
  await once(socket, "end");
  socket.destroy();
  return text;
}
