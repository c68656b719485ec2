/** Schemas of the numbers resources are made of; their bounds hold on the wire, the types are plain numbers. */
import { Type } from "typebox";

/** A TCP or UDP port as users see it. */
export const Port = Type.Integer({ minimum: 1, maximum: 65_535 });

/** A port to bind; 0 lets the system choose. */
export const BindPort = Type.Integer({ minimum: 0, maximum: 65_535 });

/** A time, size, count or share that cannot be negative; the unit is the field's. */
export const Count = Type.Integer({ minimum: 0 });
