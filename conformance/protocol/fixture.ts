// Slots: ports of the system under test, each in front of a scripted backend of its own.
import { freePorts } from "@sallyport/testkit/process";
import { RawUpstream } from "@sallyport/testkit/raw-upstream";
import { startSystem } from "../system.ts";
import type { System } from "../system.ts";
import type { Slot } from "./exercise.ts";

/** The system under test with its slots. */
export interface Rig {
  readonly slots: readonly Slot[];
  /** Absent where somebody else started the system. */
  readonly system?: System;
  close(): Promise<void>;
}

/** Starts the system in front of `count` scripted backends; clients reach it over TCP or over TLS. */
export async function openRig(count: number, scheme: "http" | "https" = "http"): Promise<Rig> {
  const ports = await freePorts(count);
  const slots = await Promise.all(ports.map((port) => openSlot(port, scheme)));
  const closeAll = async (system?: System): Promise<void> => {
    await system?.stop();
    await Promise.all(slots.map(({ upstream }) => upstream.close()));
  };
  try {
    const system = await startSystem(
      slots.map(({ port, upstream }) => ({ port, backend: upstream.port, secure: scheme === "https" })),
    );
    return { slots, system, close: () => closeAll(system) };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** A system someone else started: one port, and the backend it is configured to use. */
export async function openPeer(port: number, backend: number): Promise<Rig> {
  const upstream = await RawUpstream.open(() => ({ when: "complete", steps: [] }), backend);
  return { slots: [{ port, upstream, scheme: "http" }], close: () => upstream.close() };
}

async function openSlot(port: number, scheme: "http" | "https"): Promise<Slot> {
  return { port, scheme, upstream: await RawUpstream.open(() => ({ when: "complete", steps: [] })) };
}
