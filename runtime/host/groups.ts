/** Which apps may share a cell. */
import type { AppDocument, OrganizationDocument } from "../../core/deployment.ts";

/** The group of all apps whose organizations accept to share a process with others. */
export const sharedGroup = "*shared";

/** The one group of all apps where no proxy stands in front. */
export const openGroup = "*open";

/** How an app is kept from others because it has broken a cell. */
export type Apartness = "no" | "alone" | "with its like";

/** The group of an app: those of one group run in one cell. */
export function groupOf(
  document: AppDocument,
  organization: OrganizationDocument | undefined,
  apart: Apartness,
): string {
  const isolation = organization?.isolation ?? "org";
  if (apart === "with its like") return `${document.org}/*apart`;
  if (apart === "alone" || isolation === "dedicated") return `${document.org}/${document.app}`;
  return isolation === "shared" ? sharedGroup : document.org;
}

/** Whether a cell that was given to `cellGroup` serves the apps of `group`. */
export function servesGroup(cellGroup: string | undefined, group: string): boolean {
  if (cellGroup === undefined) return false;
  return cellGroup === group || (group === openGroup && cellGroup.startsWith(`${openGroup}.`));
}
