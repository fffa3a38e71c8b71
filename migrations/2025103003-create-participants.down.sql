DROP TABLE IF EXISTS participants;
DROP TYPE IF EXISTS participant_role;
