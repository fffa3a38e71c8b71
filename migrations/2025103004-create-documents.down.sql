DROP TABLE IF EXISTS documents;
DROP TYPE IF EXISTS document_category;
