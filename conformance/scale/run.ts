// `npm run loadtest:controller`: a controller with thousands of routes, a real API server, and a hundred proxies that serve
// nothing. Prints how long the start takes, what an edit and a change of endpoints cost and how soon they arrive, and what it
// takes when all proxies come back at once.
import { parseArgs } from "node:util";
import { type RealApiServer, startApiServer } from "../controller/api-server.ts";
import { findCrds } from "../gateway-api/programs.ts";
import { KubeClient } from "../kube-client.ts";
import { type FleetSize, toFleet } from "./fleet.ts";
import { Scale, say } from "./scale.ts";

const WRITERS = 24;

await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      routes: { type: "string", default: "1000" },
      gateways: { type: "string", default: "4" },
      services: { type: "string", default: "500" },
      slices: { type: "string", default: "1000" },
      proxies: { type: "string", default: "100" },
      edits: { type: "string", default: "50" },
      churn: { type: "string", default: "50" },
      sallyport: { type: "string", default: "bundle" },
      profile: { type: "string", default: "" },
      "controller-option": { type: "string", multiple: true, default: [] },
    },
  });
  const { sallyport, profile, "controller-option": options } = values;
  const size = {
    routes: Number(values.routes),
    gateways: Number(values.gateways),
    services: Number(values.services),
    slices: Number(values.slices),
  };
  const rates = { proxies: Number(values.proxies), edits: Number(values.edits), churn: Number(values.churn) };
  say("objects", JSON.stringify(size));
  await using server = await startApiServer();
  using client = new KubeClient(server.kubeconfig);
  await write(server, client, size);
  const scale = new Scale(server, client, size, { ...rates, sallyport, profile, options });
  try {
    await scale.run();
  } finally {
    await scale.close();
  }
}

async function write(server: RealApiServer, client: KubeClient, size: FleetSize): Promise<void> {
  const began = performance.now();
  const crds = (await findCrds()).flatMap((file) => ["-f", file]);
  await server.kubectl(["apply", "--server-side", ...crds]);
  await server.kubectl(["wait", "--for=condition=Established", "--timeout=60s", "crd", "--all"]);
  await server.kubectl(["create", "namespace", "sallyport-system"]);
  for (const objects of toFleet(size)) await eachOf(objects, async (object) => client.create(object));
  say("written to the API server in", `${((performance.now() - began) / 1000).toFixed(1)} s`);
}

async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  const writer = async (): Promise<void> => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: WRITERS }, writer));
}
