/** XMesh objects that name us as their controller: the mesh is not there yet, and they are told so. */
import type { World } from "../../world/world.ts";
import { conditionsOf } from "../condition.ts";
import { type Flaw, toObjectRef, toProblem } from "../flaw.ts";
import type { Translation } from "../translator.ts";

/** What an XMesh of ours names as its controller. */
const MESH_CONTROLLER = "sallyport.io/mesh-controller";

/** Statuses of all meshes of ours. The API knows one reason for which a mesh is not accepted. */
export function translateMeshes(world: World): Translation {
  const ours = world.list("XMesh").filter(({ object }) => object.spec.controllerName === MESH_CONTROLLER);
  const accepted = { reason: "Accepted", message: "" };
  return {
    resources: [],
    statuses: ours.map((mesh) => ({
      object: toObjectRef(mesh),
      status: { conditions: [conditionsOf(mesh).judge("Accepted", [NO_MESH], accepted)] },
    })),
    problems: ours.map((mesh) => toProblem(mesh, NO_MESH)),
  };
}

const NO_MESH: Flaw = {
  reason: "InvalidParameters",
  code: "unsupported-value",
  path: "spec.controllerName",
  message: "this version serves Gateways and Ingresses, and no mesh",
};
