/** The audit trail of an organization. */
import type { CallContext } from "../context.ts";
import type { AuditRow, Ports } from "../ports.ts";
import { checkOrganization } from "./authentication.ts";
import { type PageRequest, readPage, type TokenPage } from "./pages.ts";

/** Lists what was changed, newest first; empty fields mean all. */
export function listAuditEvents(
  { principal }: CallContext,
  ports: Ports,
  request: PageRequest & {
    organization: string;
    action: string;
    resourceId: string;
    actor: string;
    afterMs: number | undefined;
    beforeMs: number | undefined;
  },
): Promise<TokenPage<AuditRow>> {
  const org = checkOrganization(principal, request.organization);
  const { action, resourceId, actor, afterMs, beforeMs } = request;
  const filter = { org, action, resourceId, actor, afterMs, beforeMs };
  return readPage(ports, ["audit", filter], request, (page) =>
    ports.stores.audit.list(filter, page),
  );
}
