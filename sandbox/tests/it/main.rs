//! A private server, for real: processes are started, killed and looked for.

mod life;
