/**
 * Every bound of the platform, with its unit last and its reason. An app may ask for less than a
 * `Max`, never for more; what it does not say is the `Default`.
 */

/** Apps: source and artifact. */
export const sourceBytesMax = 64 * 1024 * 1024; // A compressed source archive; repositories fit
export const sourceExpandedBytesMax = 256 * 1024 * 1024; // Stops archive bombs
export const sourceFilesMax = 20_000; // Stops inode exhaustion; large monorepos have fewer
export const sourcePathBytesMax = 512; // Longer paths break tools on the way
export const artifactBytesMax = 64 * 1024 * 1024; // What the Worker Loader takes
export const artifactIndexBytesMax = 4 * 1024 * 1024; // Parsed in one go on a cold start
export const sourceMapBytesMax = 128 * 1024 * 1024; // As the bundler writes it, texts included
export const assetsMax = 10_000; // Each is one index entry
export const manifestBytesMax = 256 * 1024; // A hand-written file
export const varsMax = 256; // Environment entries
export const varBytesMax = 32 * 1024; // One value
export const varsBytesMax = 512 * 1024; // The loader takes 1 MiB of environment

/** What an organization may have when its quota does not say. */
export const orgAppsMaxDefault = 100; // Each keeps documents at the edge
export const orgDeletedAppsMax = 1_000; // Kept for a day; previews of a busy CI
export const orgStorageMbMaxDefault = 5 * 1024; // Sources and artifacts; disks are shared
export const appVersionsMaxDefault = 200; // Kept of one app; as many as the edge can preview
export const orgUploadsMax = 8; // Begun and not complete; each may hold a whole source

/** Compiling. */
export const compileTimeoutMs = 120_000; // A cold npm cache included
export const compileMemoryBytesMax = 2 * 1024 * 1024 * 1024; // Type checking large apps
export const compileThreadBytesMax = 1024 * 1024 * 1024; // Heap beside deno: texts of large apps
export const compileProcessesMax = 256; // deno, its threads and esbuild
export const packageCacheBytesMax = 4 * 1024 * 1024 * 1024; // Of an organization; then emptied
export const compileLogBytesMax = 1024 * 1024; // Kept and streamed per compile
export const diagnosticsMax = 500; // Nobody reads more
export const compilesMax = 2; // At once on one machine
export const compilesPerOrganizationMax = 1; // Others find a place; its cache has one user

/** Invoking. */
export const timeoutMsDefault = 30_000;
export const timeoutMsMax = 900_000;
export const cpuMsDefault = 750; // So that others wait for a spinning guest less than a second
export const cpuMsMax = 60_000;
export const memoryMbDefault = 128;
export const memoryMbMax = 2_048;
export const bodyMbDefault = 100;
export const bodyMbMax = 1_024;
export const waitUntilMsMax = 30_000; // As other edge platforms
export const subrequestsMax = 1_000; // Per execution, as other edge platforms
export const subrequestsSavedMax = 16_000; // What many executions of one isolate leave to a next
export const hopsMax = 16; // App calling app calling app
export const schemaBodyBytesMax = 1024 * 1024; // Bodies are buffered only to be checked

/** Logs. */
export const logLineBytesMax = 16 * 1024;
export const cellLineCharactersMax = 256 * 1024; // A full line and its stack, as JSON
export const logBytesPerExecutionMax = 1024 * 1024;
export const logBytesPerSecondMax = 256 * 1024; // Per app
export const orgLogBytesPerSecond = 1024 * 1024; // Kept of one organization; disks are shared
export const orgLogBurstBytes = 64 * 1024 * 1024; // A minute of a bad deploy

/** Calling the control API. Rates are those of one isolate, in its memory. */
export const callsPerSecond = 500; // Of one organization; people and their CI need a fraction
export const callBurstMax = 2_000; // A deploy of everything an organization has
export const wrongKeysPerSecond = 10; // From one address; each costs a query
export const wrongKeyBurstMax = 200; // A fleet that still has its old key
export const ratedNamesMax = 10_000; // Buckets that are kept, below 2 MiB

/** Lists and names. */
export const pageSizeDefault = 50;
export const pageSizeMax = 1_000;
export const idempotencyTtlMs = 24 * 60 * 60 * 1000;
export const deletedAppTtlMs = 24 * 60 * 60 * 1000;
export const historyTtlMs = 30 * 24 * 60 * 60 * 1000; // Executions and their logs
export const executionRowsMax = 1_000_000; // Of one organization; a third of a GiB, 1.5 at worst
export const logRowsMax = 500_000; // Of one organization; 100 MiB of usual lines, 8 GiB at worst
export const auditTtlMs = 400 * 24 * 60 * 60 * 1000; // A year, and time to look back at it
export const documentVersionsMax = 200; // Versions that the edge can preview
