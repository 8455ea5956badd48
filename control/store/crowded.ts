import { sql } from "drizzle-orm";
import { apps, type executionLogs, type executions } from "../db/schema.ts";
import type { AppRows } from "../ports.ts";
import { type Database, translated } from "./database.ts";

/** The apps of organizations that have more than `rowsMax` rows in a table. Walks one index. */
export function crowdedApps(
  db: Database,
  table: typeof executions | typeof executionLogs,
  rowsMax: number,
): Promise<readonly AppRows[]> {
  return translated(() =>
    db.all<AppRows>(sql`
      WITH of_app AS (SELECT app_id, count(*) AS rows FROM ${table} GROUP BY app_id),
      of_org AS (
        SELECT org, app_id, rows, sum(rows) OVER (PARTITION BY org) AS total
        FROM of_app JOIN ${apps} ON ${apps.id} = app_id
      )
      SELECT org, app_id AS appId, rows FROM of_org WHERE total > ${rowsMax}`),
  );
}
