update people set name = trim(name);
