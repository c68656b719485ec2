// A controller's publisher as a process that can be killed: says on its first line what a proxy needs to come to it.
import { ACCOUNT, GROUP, openApi, openTestPublisher, toVersionSnapshot } from "./rig.ts";

const [version = "", port = "0"] = process.argv.slice(2);
const api = openApi();
const token = api.addToken("shop", ACCOUNT);
const publisher = await openTestPublisher(api);
publisher.publish(new Map([[GROUP, toVersionSnapshot(version, Number(port))]]));
process.stdout.write(`${JSON.stringify({ port: publisher.port, trusted: publisher.trusted, token })}\n`);
