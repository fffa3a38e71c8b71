DROP TABLE IF EXISTS work_note_attachments;
