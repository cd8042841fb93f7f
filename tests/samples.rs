//! What the programs of the sample products do: `examples/products` names these tests in claims.

#[path = "../examples/products/camera/about.rs"]
mod about;
mod product {
    #![allow(
        dead_code,
        unreachable_pub,
        reason = "the page needs little of it, and a program is all there is"
    )]
    include!("../examples/products/camera/product.rs");
}

use iotsec::core::hal::Date;

#[test]
fn the_camera_tells_its_model_support_and_where_to_report_without_a_login() {
    let page: serde_json::Value = serde_json::from_str(&about::page(None).unwrap()).unwrap();
    assert_eq!(page["model"], product::MODEL);
    assert_eq!(page["report_weaknesses"], product::DISCLOSURE_POLICY);
    let end = Date::of(product::SUPPORT_UNTIL).unwrap();
    let end = format!("{:04}-{:02}-{:02}", end.year(), end.month(), end.day());
    assert_eq!(page["support_until"], end);
    // What is for its owner alone.
    assert!(page["version"].is_null() && page.as_object().unwrap().len() == 5);
}
