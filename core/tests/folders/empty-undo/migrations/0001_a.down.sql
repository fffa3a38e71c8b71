
-- Add down migration script here
