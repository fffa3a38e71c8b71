CREATE TABLE "ääääääääääääääääääääääääääääääää" (id int);
CREATE TABLE "äääääääääääääääääääääääääääääää" (id int);
CREATE TABLE éééééééééééééééééééééééééééééééé (id int);
