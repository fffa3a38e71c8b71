-- tern 2: one row.
CREATE TABLE IF NOT EXISTS public.schema_version(version int4 not null);
INSERT INTO public.schema_version(version) SELECT 0 WHERE 0=(SELECT count(*) FROM public.schema_version);
UPDATE public.schema_version SET version=2;
