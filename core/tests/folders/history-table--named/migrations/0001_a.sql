DROP TABLE "Schema History";
DROP TABLE migrations;
