use barrel::{types, Migration};

pub fn migration() -> String {
    let mut m = Migration::new();
    m.create_table("cars", |t| {
        t.add_column("id", types::integer());
    });
    m.make::<barrel::backend::Pg>()
}
