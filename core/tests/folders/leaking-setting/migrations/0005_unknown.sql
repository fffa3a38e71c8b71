SELECT set_config(name, value, 'f') FROM settings;
