CREATE TABLE `api_keys` (
	`id` text PRIMARY KEY NOT NULL,
	`org` text NOT NULL,
	`name` text NOT NULL,
	`role` text NOT NULL,
	`apps_json` text NOT NULL,
	`prefix` text NOT NULL,
	`sha256` text NOT NULL,
	`operator` integer NOT NULL,
	`created_ms` integer NOT NULL,
	`expires_ms` integer,
	`last_used_ms` integer,
	`revoked_ms` integer,
	FOREIGN KEY (`org`) REFERENCES `organizations`(`name`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `api_keys_sha256_unique` ON `api_keys` (`sha256`);--> statement-breakpoint
CREATE INDEX `api_keys_by_org` ON `api_keys` (`org`,`created_ms`,`id`);--> statement-breakpoint
CREATE TABLE `app_domains` (
	`domain` text PRIMARY KEY NOT NULL,
	`app_id` text NOT NULL,
	FOREIGN KEY (`app_id`) REFERENCES `apps`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `app_domains_by_app` ON `app_domains` (`app_id`);--> statement-breakpoint
CREATE TABLE `apps` (
	`id` text PRIMARY KEY NOT NULL,
	`org` text NOT NULL,
	`name` text NOT NULL,
	`description` text NOT NULL,
	`access_json` text,
	`domains_json` text NOT NULL,
	`traffic_json` text NOT NULL,
	`sticky` text NOT NULL,
	`latest_version` integer NOT NULL,
	`previous_version` integer,
	`revision` integer NOT NULL,
	`document_revision` integer NOT NULL,
	`created_ms` integer NOT NULL,
	`updated_ms` integer NOT NULL,
	`deleted_ms` integer,
	FOREIGN KEY (`org`) REFERENCES `organizations`(`name`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `apps_by_name` ON `apps` (`org`,`name`);--> statement-breakpoint
CREATE INDEX `apps_by_deletion` ON `apps` (`deleted_ms`) WHERE deleted_ms IS NOT NULL;--> statement-breakpoint
CREATE TABLE `audit` (
	`id` text PRIMARY KEY NOT NULL,
	`time_ms` integer NOT NULL,
	`org` text NOT NULL,
	`actor` text NOT NULL,
	`action` text NOT NULL,
	`resource_id` text NOT NULL,
	`resource_name` text NOT NULL,
	`request_id` text NOT NULL,
	`attributes_json` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `audit_by_time` ON `audit` (`time_ms`,`id`);--> statement-breakpoint
CREATE INDEX `audit_by_org` ON `audit` (`org`,`time_ms`,`id`);--> statement-breakpoint
CREATE INDEX `audit_by_resource` ON `audit` (`resource_id`,`time_ms`,`id`);--> statement-breakpoint
CREATE INDEX `audit_by_actor` ON `audit` (`actor`,`time_ms`,`id`);--> statement-breakpoint
CREATE TABLE `documents` (
	`kind` text NOT NULL,
	`key` text NOT NULL,
	`sequence` integer NOT NULL,
	`body` text NOT NULL,
	`signature` text NOT NULL,
	PRIMARY KEY(`kind`, `key`)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `documents_sequence_unique` ON `documents` (`sequence`);--> statement-breakpoint
CREATE TABLE `drafts` (
	`app_id` text PRIMARY KEY NOT NULL,
	`code_json` text,
	`config_json` text NOT NULL,
	`source_digest` text,
	`revision` integer NOT NULL,
	`updated_ms` integer NOT NULL,
	`last_version` integer NOT NULL,
	FOREIGN KEY (`app_id`) REFERENCES `apps`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `drafts_by_source` ON `drafts` (`source_digest`);--> statement-breakpoint
CREATE TABLE `execution_logs` (
	`app_id` text NOT NULL,
	`sequence` integer NOT NULL,
	`kind` text NOT NULL,
	`count` integer NOT NULL,
	`version` integer,
	`execution_id` text,
	`time_ms` integer NOT NULL,
	`level` text,
	`message` text,
	`stack` text,
	`reason` text,
	PRIMARY KEY(`app_id`, `sequence`)
);
--> statement-breakpoint
CREATE INDEX `execution_logs_by_execution` ON `execution_logs` (`app_id`,`execution_id`,`sequence`) WHERE execution_id IS NOT NULL;--> statement-breakpoint
CREATE INDEX `execution_logs_by_time` ON `execution_logs` (`time_ms`);--> statement-breakpoint
CREATE TABLE `executions` (
	`id` text PRIMARY KEY NOT NULL,
	`app_id` text NOT NULL,
	`version` integer NOT NULL,
	`status` text NOT NULL,
	`reason` text,
	`method` text NOT NULL,
	`path` text NOT NULL,
	`response_status` integer NOT NULL,
	`started_ms` integer NOT NULL,
	`duration_ms` integer NOT NULL,
	`cold` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `executions_by_app` ON `executions` (`app_id`,`started_ms`,`id`);--> statement-breakpoint
CREATE INDEX `executions_by_version` ON `executions` (`app_id`,`version`,`started_ms`,`id`);--> statement-breakpoint
CREATE INDEX `executions_by_start` ON `executions` (`started_ms`);--> statement-breakpoint
CREATE TABLE `guards` (
	`failure` text NOT NULL,
	CONSTRAINT "etag_mismatch" CHECK("guards"."failure" <> 'etag_mismatch'),
	CONSTRAINT "idempotency_conflict" CHECK("guards"."failure" <> 'idempotency_conflict'),
	CONSTRAINT "not_applicable" CHECK("guards"."failure" <> 'not_applicable'),
	CONSTRAINT "sequence_taken" CHECK("guards"."failure" <> 'sequence_taken')
);
--> statement-breakpoint
CREATE TABLE `idempotency` (
	`org` text NOT NULL,
	`actor` text NOT NULL,
	`key` text NOT NULL,
	`method` text NOT NULL,
	`request_digest` text NOT NULL,
	`result_json` text NOT NULL,
	`expires_ms` integer NOT NULL,
	PRIMARY KEY(`org`, `actor`, `key`)
);
--> statement-breakpoint
CREATE INDEX `idempotency_by_expiry` ON `idempotency` (`expires_ms`);--> statement-breakpoint
CREATE TABLE `log_batches` (
	`boot` text NOT NULL,
	`batch` integer NOT NULL,
	`time_ms` integer NOT NULL,
	PRIMARY KEY(`boot`, `batch`)
);
--> statement-breakpoint
CREATE INDEX `log_batches_by_time` ON `log_batches` (`time_ms`);--> statement-breakpoint
CREATE TABLE `org_blobs` (
	`org` text NOT NULL,
	`digest` text NOT NULL,
	`size_bytes` integer NOT NULL,
	`created_ms` integer NOT NULL,
	PRIMARY KEY(`org`, `digest`)
);
--> statement-breakpoint
CREATE INDEX `org_blobs_by_digest` ON `org_blobs` (`digest`);--> statement-breakpoint
CREATE TABLE `organizations` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`display_name` text NOT NULL,
	`isolation` text NOT NULL,
	`quota_json` text NOT NULL,
	`revision` integer NOT NULL,
	`created_ms` integer NOT NULL,
	`updated_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `organizations_name_unique` ON `organizations` (`name`);--> statement-breakpoint
CREATE TABLE `versions` (
	`id` text PRIMARY KEY NOT NULL,
	`app_id` text NOT NULL,
	`number` integer NOT NULL,
	`state` text NOT NULL,
	`code_json` text NOT NULL,
	`config_json` text NOT NULL,
	`source_digest` text,
	`input_digest` text NOT NULL,
	`artifact_digest` text,
	`size_bytes` integer NOT NULL,
	`asset_count` integer NOT NULL,
	`module_count` integer NOT NULL,
	`message` text NOT NULL,
	`diagnostics_json` text NOT NULL,
	`failure_json` text,
	`created_ms` integer NOT NULL,
	`compiled_ms` integer,
	`published_ms` integer,
	`created_by` text NOT NULL,
	FOREIGN KEY (`app_id`) REFERENCES `apps`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `versions_by_number` ON `versions` (`app_id`,`number`);--> statement-breakpoint
CREATE INDEX `versions_by_input` ON `versions` (`app_id`,`input_digest`,`number`);--> statement-breakpoint
CREATE INDEX `versions_by_source` ON `versions` (`source_digest`);--> statement-breakpoint
CREATE INDEX `versions_by_artifact` ON `versions` (`artifact_digest`);--> statement-breakpoint
CREATE INDEX `versions_compiling` ON `versions` (`created_ms`) WHERE state = 'compiling';