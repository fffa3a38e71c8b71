-- migrate:up
-- +goose Up
SELECT 1;
