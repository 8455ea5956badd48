/** All commands. A row costs nothing until its module is loaded. */
import type { CommandEntry, CommandGroup } from "./command.ts";

const row = (
  group: CommandGroup,
  name: string,
  summary: string,
  load: CommandEntry["load"],
): CommandEntry => ({ group, name, summary, load });

const later = (
  group: CommandGroup,
  name: string,
  summary: string,
  load: CommandEntry["load"],
): CommandEntry => ({ ...row(group, name, summary, load), isLater: true });

/** The command table, in the order of the help. */
export const commands: readonly CommandEntry[] = [
  row(
    "Start",
    "up",
    "Run the whole platform on this machine",
    () => import("./commands/platform/up.ts"),
  ),
  row("Start", "dev", "Run an app here, reload on save", () => import("./commands/dev/dev.ts")),
  row("Start", "init", "Make a new app", () => import("./commands/app/init.ts")),
  row(
    "Ship",
    "deploy",
    "Upload, compile, test and publish an app",
    () => import("./commands/app/deploy.ts"),
  ),
  row(
    "Ship",
    "draft push",
    "Upload a folder as the draft of its app",
    () => import("./commands/draft/push.ts"),
  ),
  row(
    "Ship",
    "draft compile",
    "Make a version from the draft",
    () => import("./commands/draft/compile.ts"),
  ),
  row(
    "Ship",
    "draft test",
    "Try the newest version away from traffic",
    () => import("./commands/draft/test.ts"),
  ),
  row("Ship", "draft show", "Show the draft", () => import("./commands/draft/show.ts")),
  row(
    "Ship",
    "publish",
    "Give all traffic to a version",
    () => import("./commands/version/publish.ts"),
  ),
  row(
    "Ship",
    "versions",
    "List the versions of an app",
    () => import("./commands/version/list.ts"),
  ),
  row(
    "Ship",
    "rollback",
    "Give all traffic back to an earlier version",
    () => import("./commands/version/rollback.ts"),
  ),
  row(
    "Ship",
    "traffic",
    "Show or split the traffic of an app",
    () => import("./commands/version/traffic.ts"),
  ),
  row("Run", "invoke", "Send an app a request", () => import("./commands/execution/invoke.ts")),
  row(
    "Run",
    "executions",
    "List the executions of an app",
    () => import("./commands/execution/list.ts"),
  ),
  row(
    "Run",
    "execution",
    "Show or watch an execution",
    () => import("./commands/execution/show.ts"),
  ),
  row("Run", "cancel", "Cancel an execution", () => import("./commands/execution/cancel.ts")),
  row("Run", "logs", "Show what an app writes", () => import("./commands/execution/logs.ts")),
  row("Run", "apps", "List the apps of the organization", () => import("./commands/app/list.ts")),
  row("Run", "app", "Show an app", () => import("./commands/app/show.ts")),
  row("Run", "delete", "Delete an app", () => import("./commands/app/delete.ts")),
  row("Run", "restore", "Bring a deleted app back", () => import("./commands/app/restore.ts")),
  later("Builds", "builds", "List image builds", () => import("./commands/build/list.ts")),
  later("Builds", "build", "Show a build or its log", () => import("./commands/build/show.ts")),
  later("Builds", "build cancel", "Cancel a build", () => import("./commands/build/cancel.ts")),
  later(
    "Secrets",
    "secrets put",
    "Add a version to a secret",
    () => import("./commands/secret/put.ts"),
  ),
  later(
    "Secrets",
    "secrets list",
    "List secrets, without values",
    () => import("./commands/secret/list.ts"),
  ),
  later(
    "Secrets",
    "secrets versions",
    "List the versions of a secret",
    () => import("./commands/secret/versions.ts"),
  ),
  later(
    "Secrets",
    "secrets delete",
    "Hide versions, or erase a whole secret",
    () => import("./commands/secret/delete.ts"),
  ),
  later(
    "Secrets",
    "secrets undelete",
    "Bring deleted versions back",
    () => import("./commands/secret/undelete.ts"),
  ),
  later(
    "Secrets",
    "secrets destroy",
    "Erase the values of versions",
    () => import("./commands/secret/destroy.ts"),
  ),
  row("Organization", "whoami", "Show whose key is used", () => import("./commands/key/whoami.ts")),
  row("Organization", "keys create", "Make an API key", () => import("./commands/key/create.ts")),
  row("Organization", "keys list", "List API keys", () => import("./commands/key/list.ts")),
  row("Organization", "keys revoke", "Revoke an API key", () => import("./commands/key/revoke.ts")),
  row(
    "Organization",
    "keys recover",
    "Make a key in place of a lost one",
    () => import("./commands/key/recover.ts"),
  ),
  row(
    "Organization",
    "orgs create",
    "Make an organization",
    () => import("./commands/org/create.ts"),
  ),
  row("Organization", "orgs list", "List organizations", () => import("./commands/org/list.ts")),
  row(
    "Machine",
    "context add",
    "Remember a platform and a key",
    () => import("./commands/context/add.ts"),
  ),
  row(
    "Machine",
    "context use",
    "Choose the platform that commands talk to",
    () => import("./commands/context/use.ts"),
  ),
  row(
    "Machine",
    "context list",
    "List remembered platforms",
    () => import("./commands/context/list.ts"),
  ),
  row(
    "Machine",
    "context remove",
    "Forget a platform",
    () => import("./commands/context/remove.ts"),
  ),
  row(
    "Machine",
    "doctor",
    "Check this machine and the platform",
    () => import("./commands/machine/doctor.ts"),
  ),
  row(
    "Machine",
    "completion",
    "Print a shell's completion script",
    () => import("./commands/machine/completion.ts"),
  ),
  row(
    "Machine",
    "backend",
    "Run store and region for `wrangler dev`",
    () => import("./commands/platform/backend.ts"),
  ),
];
