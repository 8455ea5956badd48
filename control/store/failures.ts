/** The failures of stores, the same for every implementation. */
import { type Code, IgniteError, type Reason } from "../../core/errors.ts";

/** A row is not as its reader last saw it. */
export function etagMismatch(): IgniteError {
  return failure(
    "aborted",
    "ETAG_MISMATCH",
    "It was changed by somebody else since it was read.",
    "Read it again and repeat the change.",
  );
}

/** The idempotency key has a live answer already. */
export function idempotencyConflict(): IgniteError {
  return failure(
    "aborted",
    "IDEMPOTENCY_CONFLICT",
    "Another call with this idempotency key was faster.",
    "Repeat the call to get its answer.",
  );
}

/** The organization's name is taken. */
export function organizationExists(): IgniteError {
  return failure("already_exists", "ORGANIZATION_EXISTS", "There is an organization of this name.");
}

/** The app's name is taken, by a deleted app perhaps. */
export function appExists(): IgniteError {
  return failure(
    "already_exists",
    "APP_EXISTS",
    "The organization has an app of this name.",
    "The name of a deleted app is free again after 24 hours.",
  );
}

/** Another app answers at one of the domains. */
export function domainTaken(): IgniteError {
  return failure("already_exists", "DOMAIN_TAKEN", "Another app answers at one of these domains.");
}

/** The database does not answer, or not in time. */
export function storeUnavailable(cause: unknown): IgniteError {
  return failure(
    "unavailable",
    "STORE_UNAVAILABLE",
    "The database does not answer.",
    "Try again in a moment.",
    cause,
  );
}

/** The disk under the database is full. */
export function storeFull(cause: unknown): IgniteError {
  return failure(
    "resource_exhausted",
    "STORE_FULL",
    "There is no room left for the platform's state; nothing was changed.",
    "Free some space where the data folder is.",
    cause,
  );
}

/** The database file is damaged. */
export function storeCorrupt(cause: unknown): IgniteError {
  return failure(
    "data_loss",
    "STORE_CORRUPT",
    "The platform's database is damaged.",
    "Restore it from a backup.",
    cause,
  );
}

function failure(
  code: Code,
  reason: Reason,
  message: string,
  hint?: string,
  cause?: unknown,
): IgniteError {
  return new IgniteError({
    code,
    reason,
    message,
    ...(hint !== undefined && { hint }),
    ...(cause !== undefined && { cause, internal: String(cause) }),
  });
}
