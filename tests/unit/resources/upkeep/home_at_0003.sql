-- The schema of tip at revision 0003 with a few rows, as its migrations made it then; by pg_dump --inserts.
CREATE EXTENSION vector SCHEMA public;
CREATE SCHEMA tip;
CREATE FUNCTION tip.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'tip.audit_log is append-only: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TABLE tip.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE tip.audit_log (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    target text DEFAULT ''::text NOT NULL,
    detail jsonb DEFAULT '{}'::jsonb NOT NULL
);
CREATE TABLE tip.conversations (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    dataset text NOT NULL,
    conversation_id text NOT NULL,
    domain text DEFAULT ''::text NOT NULL,
    exact_fingerprint text,
    normalized_fingerprint text,
    indexed_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE tip.dataset_requests (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    dataset text NOT NULL,
    spec jsonb NOT NULL,
    source text NOT NULL,
    state text DEFAULT 'requested'::text NOT NULL,
    run_id text,
    note text DEFAULT ''::text NOT NULL,
    idempotency_key text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT dataset_requests_source_check CHECK ((source = ANY (ARRAY['cli'::text, 'file'::text, 'launchpad'::text]))),
    CONSTRAINT dataset_requests_state_check CHECK ((state = ANY (ARRAY['requested'::text, 'running'::text, 'done'::text, 'failed'::text, 'cancelled'::text])))
);
CREATE TABLE tip.embeddings (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    conversation uuid NOT NULL,
    model text NOT NULL,
    embedding public.vector NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE tip.endpoint_leases (
    endpoint text NOT NULL,
    model text NOT NULL,
    holder uuid NOT NULL,
    run_id text DEFAULT ''::text NOT NULL,
    host text DEFAULT ''::text NOT NULL,
    pid integer NOT NULL,
    wanted integer NOT NULL,
    in_flight integer NOT NULL,
    tokens_total bigint DEFAULT 0 NOT NULL,
    granted integer DEFAULT 0 NOT NULL,
    endpoint_limit integer DEFAULT 0 NOT NULL,
    first_seen_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL
);
CREATE TABLE tip.endpoint_limits (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    endpoint text NOT NULL,
    model text NOT NULL,
    learned_limit integer NOT NULL,
    tokens_per_second double precision NOT NULL,
    p95_first_token_ms double precision,
    p95_token_gap_ms double precision,
    reason text DEFAULT ''::text NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE tip.endpoints (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    url text NOT NULL,
    name text DEFAULT ''::text NOT NULL,
    tier text DEFAULT 'local'::text NOT NULL,
    node_id uuid,
    state text DEFAULT ''::text NOT NULL,
    details jsonb DEFAULT '{}'::jsonb NOT NULL,
    first_seen_at timestamp with time zone DEFAULT now() NOT NULL,
    last_seen_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT endpoints_tier_check CHECK ((tier = ANY (ARRAY['local'::text, 'network'::text, 'openai'::text])))
);
CREATE TABLE tip.models (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    endpoint_id uuid NOT NULL,
    name text NOT NULL,
    context_window_tokens integer,
    is_loaded boolean,
    details jsonb DEFAULT '{}'::jsonb NOT NULL,
    last_seen_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE tip.node_quarters (
    node_id uuid NOT NULL,
    quarter_at timestamp with time zone NOT NULL,
    reports integer NOT NULL,
    cpu_celsius_min real,
    cpu_celsius_mean real,
    cpu_celsius_max real,
    cpu_celsius_count integer NOT NULL,
    gpu_celsius_min real,
    gpu_celsius_mean real,
    gpu_celsius_max real,
    gpu_celsius_count integer NOT NULL,
    gpu_watts_min real,
    gpu_watts_mean real,
    gpu_watts_max real,
    gpu_watts_count integer NOT NULL,
    cpu_ratio_min real,
    cpu_ratio_mean real,
    cpu_ratio_max real,
    cpu_ratio_count integer NOT NULL,
    gpu_ratio_min real,
    gpu_ratio_mean real,
    gpu_ratio_max real,
    gpu_ratio_count integer NOT NULL
);
CREATE TABLE tip.node_reports (
    node_id uuid NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    state text DEFAULT ''::text NOT NULL,
    cpu_celsius real,
    gpu_celsius real,
    gpu_watts real,
    cpu_ratio real,
    gpu_ratio real
);
CREATE TABLE tip.nodes (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    name text NOT NULL,
    profile text DEFAULT ''::text NOT NULL,
    state text DEFAULT ''::text NOT NULL,
    state_reason text DEFAULT ''::text NOT NULL,
    hardware jsonb DEFAULT '{}'::jsonb NOT NULL,
    first_seen_at timestamp with time zone DEFAULT now() NOT NULL,
    last_seen_at timestamp with time zone,
    address text DEFAULT ''::text NOT NULL,
    state_since timestamp with time zone DEFAULT now() NOT NULL,
    notes text DEFAULT ''::text NOT NULL,
    clock_skew_seconds double precision,
    newest_report jsonb
);
CREATE TABLE tip.performance_samples (
    id bigint NOT NULL,
    run_id uuid NOT NULL,
    "timestamp" timestamp with time zone DEFAULT now() NOT NULL,
    concurrency integer,
    throughput_per_sec numeric(10,4),
    p50_latency_ms integer,
    p95_latency_ms integer,
    error_rate numeric(5,4),
    queue_depth integer,
    endpoint text DEFAULT ''::text NOT NULL,
    model text DEFAULT ''::text NOT NULL
);
ALTER TABLE tip.performance_samples ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME tip.performance_samples_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE tip.quality_scores (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    conversation uuid NOT NULL,
    realism double precision NOT NULL,
    coherence double precision NOT NULL,
    naturalness double precision NOT NULL,
    overall double precision NOT NULL,
    metrics jsonb DEFAULT '{}'::jsonb NOT NULL,
    grader text NOT NULL,
    tier text NOT NULL,
    rubric_version text DEFAULT ''::text NOT NULL,
    rationale text DEFAULT ''::text NOT NULL,
    graded_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE tip.settings_versions (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    version bigint NOT NULL,
    key text NOT NULL,
    value jsonb,
    node text,
    author text NOT NULL,
    note text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE tip.settings_versions ALTER COLUMN version ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME tip.settings_versions_version_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
INSERT INTO tip.alembic_version VALUES ('0003');
INSERT INTO tip.audit_log VALUES ('a0525aef-48dd-411b-95e1-cd3edc7a0ccb', '2026-11-21 18:37:20.896714+00', 'ann', 'dataset.requested', 'clinic', '{}');
INSERT INTO tip.conversations VALUES ('00000000-0000-4000-8000-000000000003', 'clinic', 'c1', 'healthcare', 'e', 'n', '2026-11-21 18:37:20.896714+00');
INSERT INTO tip.dataset_requests VALUES ('00000000-0000-4000-8000-000000000001', 'clinic', '{"name": "clinic", "seed": 7, "count": 3, "query": "Generate 3 healthcare transcripts", "domain": "healthcare"}', 'cli', 'done', '0a1b2c3d-0000-4000-8000-000000000001', '', NULL, '2026-11-21 18:37:20.896714+00', '2026-11-21 18:37:20.896714+00');
INSERT INTO tip.embeddings VALUES ('c180ef94-bf76-4348-bb44-2da554b56d39', '00000000-0000-4000-8000-000000000003', 'small', '[1,0]', '2026-11-21 18:37:20.896714+00');
INSERT INTO tip.endpoints VALUES ('6d5bb4e9-a891-433d-8e55-7045c54680fb', 'http://localhost:1234/v1', 'lm', 'local', '00000000-0000-4000-8000-000000000002', '', '{}', '2026-11-21 18:37:20.896714+00', '2026-11-21 18:37:20.896714+00');
INSERT INTO tip.nodes VALUES ('00000000-0000-4000-8000-000000000002', 'desk', 'hybrid', '', '', '{}', '2026-11-21 18:37:20.896714+00', NULL, '', '2026-11-21 18:37:20.896714+00', '', NULL, NULL);
INSERT INTO tip.performance_samples VALUES (1, '0a1b2c3d-0000-4000-8000-000000000001', '2026-11-21 18:37:20.896714+00', 2, 12.5000, NULL, NULL, NULL, NULL, '', '');
INSERT INTO tip.quality_scores VALUES ('f2f7ab0e-ed32-49af-874d-03a528112696', '00000000-0000-4000-8000-000000000003', 4.5, 4.5, 4.5, 4.5, '{}', 'rules', 'local', '', '', '2026-11-21 18:37:20.896714+00');
INSERT INTO tip.settings_versions OVERRIDING SYSTEM VALUE VALUES ('80300de8-56b9-45a1-bf67-507aeee6b640', 1, 'quality.minimum_score', '0.7', NULL, 'ann', '', '2026-11-21 18:37:20.896714+00');
INSERT INTO tip.settings_versions OVERRIDING SYSTEM VALUE VALUES ('0c6c1dc2-f6ed-4602-827b-5554bb1ee341', 2, 'quality.minimum_score', NULL, NULL, 'ann', '', '2026-11-21 18:37:20.896714+00');
INSERT INTO tip.settings_versions OVERRIDING SYSTEM VALUE VALUES ('f43cf03c-9fca-4b6e-9e79-adcce26f61c6', 3, 'quality.minimum_score', '0.8', NULL, 'bob', '', '2026-11-21 18:37:20.896714+00');
SELECT pg_catalog.setval('tip.performance_samples_id_seq', 1, true);
SELECT pg_catalog.setval('tip.settings_versions_version_seq', 3, true);
ALTER TABLE ONLY tip.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY tip.audit_log
    ADD CONSTRAINT audit_log_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tip.conversations
    ADD CONSTRAINT conversations_dataset_conversation_id_key UNIQUE (dataset, conversation_id);
ALTER TABLE ONLY tip.conversations
    ADD CONSTRAINT conversations_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tip.dataset_requests
    ADD CONSTRAINT dataset_requests_dataset_key UNIQUE (dataset);
ALTER TABLE ONLY tip.dataset_requests
    ADD CONSTRAINT dataset_requests_idempotency_key_key UNIQUE (idempotency_key);
ALTER TABLE ONLY tip.dataset_requests
    ADD CONSTRAINT dataset_requests_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tip.embeddings
    ADD CONSTRAINT embeddings_conversation_model_key UNIQUE (conversation, model);
ALTER TABLE ONLY tip.embeddings
    ADD CONSTRAINT embeddings_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tip.endpoint_leases
    ADD CONSTRAINT endpoint_leases_pkey PRIMARY KEY (endpoint, model, holder);
ALTER TABLE ONLY tip.endpoint_limits
    ADD CONSTRAINT endpoint_limits_endpoint_model_key UNIQUE (endpoint, model);
ALTER TABLE ONLY tip.endpoint_limits
    ADD CONSTRAINT endpoint_limits_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tip.endpoints
    ADD CONSTRAINT endpoints_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tip.endpoints
    ADD CONSTRAINT endpoints_url_key UNIQUE (url);
ALTER TABLE ONLY tip.models
    ADD CONSTRAINT models_endpoint_id_name_key UNIQUE (endpoint_id, name);
ALTER TABLE ONLY tip.models
    ADD CONSTRAINT models_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tip.node_quarters
    ADD CONSTRAINT node_quarters_pkey PRIMARY KEY (node_id, quarter_at);
ALTER TABLE ONLY tip.node_reports
    ADD CONSTRAINT node_reports_pkey PRIMARY KEY (node_id, received_at);
ALTER TABLE ONLY tip.nodes
    ADD CONSTRAINT nodes_name_key UNIQUE (name);
ALTER TABLE ONLY tip.nodes
    ADD CONSTRAINT nodes_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tip.performance_samples
    ADD CONSTRAINT performance_samples_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tip.quality_scores
    ADD CONSTRAINT quality_scores_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tip.settings_versions
    ADD CONSTRAINT settings_versions_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tip.settings_versions
    ADD CONSTRAINT settings_versions_version_key UNIQUE (version);
CREATE INDEX audit_log_by_target ON tip.audit_log USING btree (target, at);
CREATE INDEX audit_log_by_time ON tip.audit_log USING btree (at);
CREATE INDEX conversations_by_exact_fingerprint ON tip.conversations USING btree (exact_fingerprint);
CREATE INDEX conversations_by_normalized_fingerprint ON tip.conversations USING btree (normalized_fingerprint);
CREATE INDEX dataset_requests_by_state ON tip.dataset_requests USING btree (state, created_at);
CREATE INDEX node_quarters_by_time ON tip.node_quarters USING btree (quarter_at);
CREATE INDEX node_reports_by_time ON tip.node_reports USING btree (received_at);
CREATE INDEX performance_samples_by_endpoint ON tip.performance_samples USING btree (endpoint, "timestamp");
CREATE INDEX performance_samples_by_run ON tip.performance_samples USING btree (run_id, "timestamp");
CREATE INDEX quality_scores_by_conversation ON tip.quality_scores USING btree (conversation, graded_at);
CREATE INDEX settings_versions_by_key ON tip.settings_versions USING btree (key, node, version);
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON tip.audit_log FOR EACH STATEMENT EXECUTE FUNCTION tip.refuse_change();
ALTER TABLE ONLY tip.embeddings
    ADD CONSTRAINT embeddings_conversation_fkey FOREIGN KEY (conversation) REFERENCES tip.conversations(id) ON DELETE CASCADE;
ALTER TABLE ONLY tip.endpoints
    ADD CONSTRAINT endpoints_node_id_fkey FOREIGN KEY (node_id) REFERENCES tip.nodes(id) ON DELETE SET NULL;
ALTER TABLE ONLY tip.models
    ADD CONSTRAINT models_endpoint_id_fkey FOREIGN KEY (endpoint_id) REFERENCES tip.endpoints(id) ON DELETE CASCADE;
ALTER TABLE ONLY tip.node_quarters
    ADD CONSTRAINT node_quarters_node_id_fkey FOREIGN KEY (node_id) REFERENCES tip.nodes(id) ON DELETE CASCADE;
ALTER TABLE ONLY tip.node_reports
    ADD CONSTRAINT node_reports_node_id_fkey FOREIGN KEY (node_id) REFERENCES tip.nodes(id) ON DELETE CASCADE;
ALTER TABLE ONLY tip.quality_scores
    ADD CONSTRAINT quality_scores_conversation_fkey FOREIGN KEY (conversation) REFERENCES tip.conversations(id) ON DELETE CASCADE;
