begin work; DROP TABLE t; end transaction
