create schema ${schema};
