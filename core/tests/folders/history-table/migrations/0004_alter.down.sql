DROP TABLE t, migrations;
