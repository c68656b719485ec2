/** What is generated for every Kubernetes kind, as the table in `generated/kinds.ts` lists it. */
import type { RuleWalk } from "./rule-walk.ts";

/** One way in which a value does not fit its schema, as the compiled ajv validators report it. */
export interface SchemaError {
  /** JSON pointer to the value. */
  readonly instancePath: string;
  readonly schemaPath: string;
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** Compiled checks of one kind, on the object without apiVersion, kind and metadata. */
export interface KindValidator {
  /** Whether the value fits the schema; sets defaults in it; leaves what does not fit in `errors`. */
  readonly validate: { (value: unknown): boolean; errors?: readonly SchemaError[] | null };
  /** Checks the CEL rules and the uniqueness of list entries. */
  checkRules(value: unknown, walk: RuleWalk): void;
}

/** One kind: its identity and how to load what checks it. */
export interface GeneratedKind {
  readonly kind: string;
  readonly group: string;
  /** Versions that are read, all with the same schema; objects are kept in the first. */
  readonly versions: readonly [string, ...string[]];
  readonly plural: string;
  readonly namespaced: boolean;
  loadValidator(): Promise<KindValidator>;
  /** The JSON schema as a module with one default export. */
  loadSchema(): Promise<{ readonly default: unknown }>;
}
