SET lock_timeout = '1s';
CREATE INDEX index_workflow_request_participants_on_request_id_and_participant_id70 ON t (a);
