use std::{boxed::Box, vec, vec::Vec};

use iotsec_core::{cose::CoseError, crypto::Sha256};

use crate::{
    Limits, Policy, SequenceNumber, UpdateError,
    forge::{
        CLASS, DEVICE, Forge, IMAGE,
        Item::{self, Array, Bool, Bytes, Int, Tag, Text},
        NOW, Owned, URI, VENDOR, admit, attempt, authenticated, command, digest, fetch, identity, image,
        policy, run, select, sequence, set, sha256, with_device,
    },
};

type Commands = Vec<Vec<Item>>;

fn validate(commands: &[Vec<Item>]) -> Forge {
    Forge::default().with(7, sequence(commands))
}

fn install(commands: &[Vec<Item>]) -> Forge {
    Forge::default().with(20, sequence(commands))
}

fn shared(commands: Commands) -> Forge {
    Forge {
        shared: commands,
        ..Forge::default()
    }
}

fn refused(forge: &Forge) -> UpdateError {
    forge.admit().unwrap_err()
}

#[test]
fn a_good_update_becomes_a_plan_with_digest_size_and_source() {
    let envelope = Forge::default().envelope();
    with_device(None, |device| {
        let accepted = authenticated(&envelope, &Limits::DEFAULT)
            .unwrap()
            .admit(device, &policy(), &mut Sha256::default())
            .unwrap();
        assert_eq!(accepted.sequence_number(), SequenceNumber(2));
        assert_eq!(accepted.envelope(), envelope);
        let [component] = accepted.components() else {
            panic!("one component")
        };
        assert_eq!(component.id(), device.components[0].id);
        assert_eq!(component.digest(), &sha256(IMAGE));
        assert_eq!(component.size() as usize, IMAGE.len());
        assert_eq!(component.source(), crate::Source::Uri(URI));
        assert_eq!(component.load(), None);
        assert!(component.invoke());
    });
}

#[test]
fn two_components_are_planned_in_the_order_of_their_writes() {
    let forge = Forge::two();
    let plan = forge.admit().unwrap();
    assert_eq!(plan.components.len(), 2);
    let reversed = [vec![select(Int(1))], fetch(), vec![select(Int(0))], fetch()];
    let plan_reversed = forge.with(20, sequence(&reversed.concat())).admit().unwrap();
    assert_eq!(plan.components[0], plan_reversed.components[1]);
    assert_eq!(plan.components[1], plan_reversed.components[0]);
}

#[test]
fn t9_a_manifest_for_another_vendor_class_device_or_slot_says_so() {
    let with_ids = |vendor: [u8; 16], class: [u8; 16]| {
        let ids = [(1, Bytes(vendor.to_vec())), (2, Bytes(class.to_vec()))];
        shared(vec![set(&ids), command(1), command(2), image(IMAGE)])
    };
    assert_eq!(refused(&with_ids([9; 16], CLASS)), UpdateError::WrongVendor);
    assert_eq!(refused(&with_ids(VENDOR, [9; 16])), UpdateError::WrongClass);
    let for_device = |id: [u8; 16]| validate(&[set(&[(24, Bytes(id.to_vec()))]), command(24), command(3)]);
    assert!(for_device(DEVICE).admit().is_ok());
    assert_eq!(refused(&for_device([9; 16])), UpdateError::WrongDevice);
    let for_slot = validate(&[set(&[(5, Int(1))]), command(5), command(3)]);
    assert!(for_slot.admit_on(Some(1), &policy()).is_ok());
    assert_eq!(for_slot.admit_on(Some(0), &policy()), Err(UpdateError::WrongSlot));
    assert_eq!(for_slot.admit_on(None, &policy()), Err(UpdateError::WrongSlot));
}

#[test]
fn the_slot_chooses_the_alternative() {
    let by_slot = |first: Commands, second: Commands| {
        let on = |slot, rest: Commands| Some([vec![set(&[(5, Int(slot))]), command(5)], rest].concat());
        attempt(&[on(0, first), on(1, second)])
    };
    let mut forge = shared(
        [
            vec![by_slot(vec![image(b"for slot 0")], vec![image(b"for slot one")])],
            identity(),
        ]
        .concat(),
    );
    let uri = |uri| vec![set(&[(21, Text(uri))])];
    let commands = [
        by_slot(uri("https://a"), uri("https://b")),
        command(21),
        command(3),
    ];
    forge = forge.with(20, sequence(&commands));
    let first = forge.admit_on(Some(0), &policy()).unwrap();
    let second = forge.admit_on(Some(1), &policy()).unwrap();
    assert!(first.components[0].contains("https://a") && first.components[0].contains("size: 10"));
    assert!(second.components[0].contains("https://b") && second.components[0].contains("size: 12"));
    assert_eq!(forge.admit_on(Some(2), &policy()), Err(UpdateError::WrongSlot));
}

#[test]
fn t7_the_sequence_number_is_held_against_replay_and_fast_forward() {
    let at = |sequence| Forge {
        sequence,
        ..Forge::default()
    };
    let policy = |installed, reinstall| Policy {
        reinstall,
        ..Policy::newer_than(SequenceNumber(installed))
    };
    assert!(at(11).admit_on(None, &policy(10, false)).is_ok());
    assert_eq!(
        at(9).admit_on(None, &policy(10, true)),
        Err(UpdateError::Rollback)
    );
    assert_eq!(
        at(10).admit_on(None, &policy(10, false)),
        Err(UpdateError::Installed)
    );
    assert!(at(10).admit_on(None, &policy(10, true)).is_ok());
    assert!(at(10 + 65536).admit_on(None, &policy(10, false)).is_ok());
    assert_eq!(
        at(11 + 65536).admit_on(None, &policy(10, false)),
        Err(UpdateError::FastForward)
    );
    assert_eq!(
        at(i64::MAX).admit_on(None, &policy(10, false)),
        Err(UpdateError::FastForward)
    );
}

#[test]
fn an_expiry_date_needs_trusted_time_to_install_and_none_to_boot() {
    let expires = |time: u64| {
        install(&[vec![set(&[(4, Int(time as i64))]), command(4)], fetch()].concat()).with(
            7,
            sequence(&[set(&[(4, Int(time as i64))]), command(4), command(3)]),
        )
    };
    assert!(expires(NOW + 1).admit().is_ok());
    assert_eq!(refused(&expires(NOW)), UpdateError::Expired);
    let without_clock = Policy::newer_than(SequenceNumber(1));
    assert_eq!(
        expires(NOW + 1).admit_on(None, &without_clock),
        Err(UpdateError::TimeUnknown)
    );
    assert!(expires(NOW - 1).boot().is_ok());
}

#[test]
fn every_write_is_followed_by_a_hard_match_of_digest_and_size() {
    let uri = set(&[(21, Text(URI))]);
    // A match in the validate section follows it too.
    assert!(install(&[uri.clone(), command(21)]).admit().is_ok());
    // A match before the write does not.
    assert_eq!(
        refused(&install(&[uri.clone(), command(3), command(21)])),
        UpdateError::WriteOrder
    );
    // Neither does one of another component.
    let two = [
        select(Int(0)),
        uri.clone(),
        command(21),
        select(Int(1)),
        command(3),
    ];
    let forge = Forge::two()
        .with(20, sequence(&two))
        .with(7, sequence(&[select(Int(1)), command(3)]));
    assert_eq!(refused(&forge), UpdateError::WriteUnverified);
    // Digest without size, size without digest.
    let digest_only = [identity(), vec![set(&[(3, digest(IMAGE).wrapped())])]].concat();
    assert_eq!(refused(&shared(digest_only)), UpdateError::ImageSize);
    let size_only = [identity(), vec![set(&[(14, Int(5))])]].concat();
    assert_eq!(refused(&shared(size_only)), UpdateError::ParameterMissing);
    // What is installed must be valid at boot, too.
    let forge = Forge::two().with(7, sequence(&[select(Int(0)), command(3)]));
    assert_eq!(refused(&forge), UpdateError::NotValidated);
    assert_eq!(refused(&Forge::default().without(7)), UpdateError::NotValidated);
    let other = [select(Int(1)), command(23)];
    let forge = Forge::two()
        .with(9, sequence(&other))
        .with(7, sequence(&[select(Int(0)), command(3)]))
        .with(20, sequence(&[vec![select(Int(0))], fetch()].concat()));
    assert_eq!(refused(&forge), UpdateError::NotValidated);
}

#[test]
fn a_content_check_that_can_be_passed_over_is_refused() {
    let soft = set(&[(13, Bool(true))]);
    let hard = set(&[(13, Bool(false))]);
    let on_slot = |slot, rest: Commands| Some([vec![set(&[(5, Int(slot))]), command(5)], rest].concat());
    let check = || vec![command(3)];
    for (name, commands, refused) in [
        ("soft run", vec![run(&[soft.clone(), command(3)])], true),
        ("hard run", vec![run(&[command(3)])], false),
        ("nil", vec![attempt(&[Some(check()), Some(check()), None])], true),
        (
            "two chances",
            vec![attempt(&[Some(check()), Some(check())])],
            true,
        ),
        (
            "hard alternative",
            vec![attempt(&[
                Some([vec![hard.clone()], check()].concat()),
                Some(check()),
            ])],
            false,
        ),
        (
            "the other is for another slot",
            vec![attempt(&[on_slot(0, check()), on_slot(1, check())])],
            false,
        ),
        (
            "for another slot, then nil",
            vec![attempt(&[on_slot(0, check()), on_slot(1, check()), None])],
            true,
        ),
        (
            "the other is for this slot",
            vec![attempt(&[on_slot(0, check()), on_slot(0, check())])],
            true,
        ),
        (
            "the last one",
            vec![attempt(&[on_slot(1, check()), Some(check())])],
            false,
        ),
        (
            "hard run in a soft one",
            vec![run(&[soft.clone(), run(&[command(3)])])],
            true,
        ),
        (
            "soft, then hard",
            vec![run(&[soft.clone(), command(14)]), command(3)],
            false,
        ),
    ] {
        let answer = validate(&commands).admit();
        if refused {
            assert_eq!(answer, Err(UpdateError::SoftMatch), "{name}");
        } else {
            assert!(answer.is_ok(), "{name}: {answer:?}");
        }
    }
    let nested = attempt(&[Some(vec![run(&[command(3)])]), Some(vec![command(1)]), None]);
    assert_eq!(refused(&validate(&[nested])), UpdateError::SoftMatch);
    assert_eq!(refused(&validate(&[soft, command(3)])), UpdateError::SoftFailure);
}

#[test]
fn checks_that_disagree_are_refused() {
    let other = image(b"something else");
    assert_eq!(
        refused(&validate(&[other.clone(), command(3)])),
        UpdateError::DigestConflict
    );
    assert_eq!(
        refused(&validate(&[command(3), other, command(3)])),
        UpdateError::DigestConflict
    );
    let larger = set(&[(14, Int(IMAGE.len() as i64 + 1))]);
    assert_eq!(
        refused(&validate(&[larger, command(3)])),
        UpdateError::DigestConflict
    );
}

#[test]
fn content_in_the_manifest_is_known_at_once() {
    let content = |bytes: &[u8]| set(&[(18, Bytes(bytes.to_vec()))]);
    let write = |check: &[u8]| {
        shared(identity())
            .with(20, sequence(&[content(b"settings"), command(18), command(6)]))
            .with(7, sequence(&[content(check), command(6)]))
    };
    let plan = write(b"settings").admit().unwrap();
    assert!(plan.components[0].contains("size: 8"));
    assert_eq!(refused(&write(b"SETTINGS")), UpdateError::DigestConflict);
    // Matched by digest instead, which must be that of the content.
    let by_digest = |bytes: &[u8]| write(b"settings").with(7, sequence(&[image(bytes), command(3)]));
    assert!(by_digest(b"settings").admit().is_ok());
    assert_eq!(refused(&by_digest(b"SETTINGS")), UpdateError::DigestConflict);
}

#[test]
fn integrated_payloads_are_found_by_name_and_have_the_right_size() {
    let with = |name: &'static str, bytes: &[u8]| Forge {
        payload: Some((name, bytes.to_vec())),
        ..install(&[set(&[(21, Text("#app"))]), command(21), command(3)])
    };
    assert!(with("#app", IMAGE).admit().unwrap().components[0].contains("Integrated"));
    assert_eq!(refused(&with("#app2", IMAGE)), UpdateError::PayloadAbsent);
    assert_eq!(refused(&with("#app", b"short")), UpdateError::ImageSize);
}

/// Fetches into component 1, copies from there into component 0.
fn staged() -> Forge {
    let copy = [select(Int(0)), set(&[(22, Int(1))]), command(22), command(3)];
    Forge {
        shared: [
            vec![select(Int(0))],
            identity(),
            vec![image(IMAGE), select(Int(1)), set(&[(3, digest(IMAGE).wrapped())])],
        ]
        .concat(),
        ..Forge::two()
    }
    .with(16, sequence(&[vec![select(Int(1))], fetch()].concat()))
    .with(20, sequence(&copy))
    .with(7, sequence(&[select(Int(0)), command(3)]))
}

#[test]
fn a_staging_component_takes_its_size_from_an_equal_digest() {
    let plan = staged().admit().unwrap();
    assert!(plan.components[0].contains("Uri"));
    assert!(plan.components[1].contains("Copy"));
    assert!(
        plan.components
            .iter()
            .all(|component| component.contains("size: 27"))
    );
    // What was copied from is not written again, and nothing is copied onto itself.
    let late = [
        select(Int(0)),
        set(&[(22, Int(1))]),
        command(22),
        command(3),
        select(Int(1)),
        set(&[(21, Text(URI))]),
        command(21),
        command(3),
    ];
    assert_eq!(
        refused(&staged().without(16).with(20, sequence(&late))),
        UpdateError::WriteOrder
    );
    let itself = [select(Int(0)), set(&[(22, Int(0))]), command(22), command(3)];
    assert_eq!(
        refused(&staged().with(20, sequence(&itself))),
        UpdateError::ComponentIndex
    );
    let parallel = [
        select(Int(0)),
        set(&[(12, Bool(false)), (22, Int(1))]),
        command(22),
        command(3),
    ];
    assert_eq!(
        refused(&staged().with(20, sequence(&parallel))),
        UpdateError::StrictOrder
    );
}

#[test]
fn what_is_installed_can_be_booted() {
    for forge in [Forge::default(), Forge::two(), staged()] {
        assert_eq!(forge.admit().unwrap().sequence, forge.boot().unwrap().sequence);
    }
    // The size of component 0 is told only by the staging component, which a boot knows nothing of.
    let shared = [
        vec![select(Int(0))],
        identity(),
        vec![set(&[(3, digest(IMAGE).wrapped())])],
    ];
    let fetch_sized = [vec![select(Int(1)), image(IMAGE)], fetch()];
    let forge = Forge {
        shared: shared.concat(),
        ..staged().with(16, sequence(&fetch_sized.concat()))
    };
    assert_eq!(forge.boot(), Err(UpdateError::ImageSize));
    assert_eq!(refused(&forge), UpdateError::ImageSize);
}

#[test]
fn what_is_loaded_at_boot_is_matched_before_it_is_started() {
    let load = |rest: Commands| {
        let start = [select(Int(1)), set(&[(22, Int(0))]), command(22)];
        Forge::two()
            .with(20, sequence(&[vec![select(Int(0))], fetch()].concat()))
            .with(7, sequence(&[select(Int(0)), command(3)]))
            .with(8, sequence(&[start.to_vec(), rest].concat()))
            .with(9, sequence(&[select(Int(1)), command(23)]))
    };
    assert!(load(vec![command(3)]).admit().is_ok());
    let elsewhere = vec![select(Int(0)), command(3)];
    assert_eq!(refused(&load(vec![])), UpdateError::WriteUnverified);
    assert_eq!(refused(&load(elsewhere)), UpdateError::WriteUnverified);
    // Loading must not undo what was validated.
    let over = [select(Int(0)), set(&[(22, Int(1))]), command(22), command(3)];
    assert_eq!(
        refused(&Forge::two().with(8, sequence(&over))),
        UpdateError::WriteOrder
    );
}

#[test]
fn severed_sections_are_tied_to_their_digest() {
    let section = sequence(&fetch());
    let named = Array(vec![Int(-16), Bytes(sha256(&section.encode()).to_vec())]);
    let severed = |element: Option<Item>| Forge {
        elements: element.into_iter().map(|element| (20, element)).collect(),
        ..Forge::default().with(20, named.clone())
    };
    assert!(severed(Some(section.clone())).admit().is_ok());
    assert_eq!(refused(&severed(None)), UpdateError::ElementAbsent);
    assert!(severed(None).boot().is_ok());
    let other = sequence(&[command(14)]);
    assert_eq!(refused(&severed(Some(other.clone()))), UpdateError::ElementDigest);
    assert_eq!(severed(Some(other)).boot(), Err(UpdateError::ElementDigest));
    // Inline and in the envelope; in the envelope only.
    for forge in [Forge::default(), Forge::default().without(20)] {
        let forge = Forge {
            elements: vec![(20, section.clone())],
            ..forge
        };
        assert_eq!(refused(&forge), UpdateError::ElementUnauthenticated);
    }
    // Text is checked although nobody on the device reads it.
    let forge = Forge {
        elements: vec![(23, Bytes(vec![0xA0]))],
        ..Forge::default().with(23, named.clone())
    };
    assert_eq!(refused(&forge), UpdateError::ElementDigest);
    let short = Array(vec![Int(-16), Bytes(vec![7; 31])]);
    assert_eq!(
        refused(&Forge::default().with(20, short)),
        UpdateError::DigestAlgorithm
    );
    let extension = Forge {
        elements: vec![(15, Bytes(vec![0xA0]))],
        ..Forge::default()
    };
    assert_eq!(refused(&extension), UpdateError::ElementUnsupported);
}

#[test]
fn malformed_sequences_commands_and_parameters_are_refused_wherever_they_stand() {
    let hidden = |commands: Commands| {
        // Behind a condition that fails, in a branch that is not reached.
        let never = [vec![command(14)], commands].concat();
        validate(&[attempt(&[Some(vec![command(1)]), Some(never)]), command(3)])
    };
    let cases: Vec<(Commands, UpdateError)> = vec![
        (vec![command(7)], UpdateError::CommandUnknown),
        (vec![command(-257)], UpdateError::CommandUnknown),
        (vec![vec![Text("run"), Int(0)]], UpdateError::CommandUnknown),
        (vec![set(&[(99, Int(1))])], UpdateError::ParameterUnknown),
        (vec![set(&[(26, Bytes(vec![]))])], UpdateError::ParameterUnknown),
        (vec![set(&[(-259, Bytes(vec![]))])], UpdateError::ParameterUnknown),
        (
            vec![set(&[(-257, Array(vec![Int(100), Bytes(vec![])]).wrapped())])],
            UpdateError::Transport,
        ),
        (
            vec![set(&[(-258, Item::Map(vec![(1, Int(0))]).wrapped())])],
            UpdateError::Transport,
        ),
        (vec![set(&[])], UpdateError::Sequence),
        (vec![set(&[(22, Int(1))])], UpdateError::ComponentIndex),
        (vec![select(Int(1))], UpdateError::ComponentIndex),
        (vec![select(Bool(false))], UpdateError::ComponentIndex),
        (vec![select(Array(vec![]))], UpdateError::ComponentIndex),
        (
            vec![select(Array(vec![Int(0), Int(0)]))],
            UpdateError::ComponentIndex,
        ),
        (vec![vec![Int(3), Int(16)]], UpdateError::ReportingPolicy),
        (vec![vec![Int(3), Int(-1)]], UpdateError::ReportingPolicy),
        (vec![command(21)], UpdateError::CommandMisplaced),
        (vec![command(23)], UpdateError::CommandMisplaced),
        (vec![vec![Int(3)]], UpdateError::Sequence),
        (vec![vec![Int(15), Array(vec![])]], UpdateError::Sequence),
        (vec![attempt(&[Some(vec![command(3)])])], UpdateError::Sequence),
        (
            vec![attempt(&[None, Some(vec![command(3)]), Some(vec![command(3)])])],
            UpdateError::Sequence,
        ),
    ];
    for (commands, error) in cases {
        assert_eq!(refused(&hidden(commands.clone())), error, "{commands:?}");
        // What is said of a payload is read by who has one.
        let at_boot = if error == UpdateError::Transport {
            None
        } else {
            Some(error)
        };
        assert_eq!(hidden(commands).boot().err(), at_boot);
    }
    let typed = hidden(vec![set(&[(21, Int(1))])]);
    assert!(matches!(
        refused(&typed),
        UpdateError::Cose(CoseError::Encoding(_))
    ));
    assert_eq!(refused(&validate(&[])), UpdateError::Sequence);
}

#[test]
fn effects_stay_in_their_sections() {
    let uri = set(&[(21, Text(URI))]);
    for (section, commands) in [
        (4, vec![uri.clone(), command(21)]),
        (4, vec![command(23)]),
        (7, vec![uri.clone(), command(21), command(3)]),
        (8, vec![uri.clone(), command(21), command(3)]),
        (9, vec![set(&[(18, Bytes(vec![1]))]), command(18)]),
        (20, vec![command(23), command(3)]),
    ] {
        let forge = if section == 4 {
            shared([identity(), vec![image(IMAGE)], commands].concat())
        } else {
            Forge::default().with(section, sequence(&commands))
        };
        assert_eq!(
            refused(&forge),
            UpdateError::CommandMisplaced,
            "section {section}"
        );
    }
}

#[test]
fn vendor_and_class_are_checked_before_every_section() {
    let parameters = || identity().into_iter().take(1).chain([image(IMAGE)]);
    for commands in [
        vec![],
        vec![command(1)],
        vec![command(2)],
        vec![run(&[
            set(&[(13, Bool(true))]),
            command(14),
            command(1),
            command(2),
        ])],
    ] {
        let forge = shared(parameters().chain(commands).collect());
        assert_eq!(refused(&forge), UpdateError::CompatibilityUnchecked);
        assert_eq!(forge.boot(), Err(UpdateError::CompatibilityUnchecked));
    }
    // A check in the section itself comes after the shared sequence, and is none.
    let late =
        shared(parameters().collect()).with(20, sequence(&[vec![command(1), command(2)], fetch()].concat()));
    assert_eq!(refused(&late), UpdateError::CompatibilityUnchecked);
}

#[test]
fn with_several_components_every_sequence_begins_with_an_index() {
    for section in [7, 9, 20] {
        let forge = Forge::two().with(section, sequence(&[command(3)]));
        assert_eq!(refused(&forge), UpdateError::ComponentIndex);
    }
    let moved = [select(Int(0)), run(&[select(Int(1)), command(3)]), command(3)];
    let forge = Forge::two().with(7, sequence(&moved));
    assert_eq!(refused(&forge), UpdateError::ComponentIndex);
    // A nested sequence runs for each component, one at a time.
    let each = [select(Bool(true)), run(&[command(3)])];
    assert_eq!(
        Forge::two().with(7, sequence(&each)).admit(),
        Forge::two().admit().map(|plan| Owned {
            manifest_digest: Forge::two()
                .with(7, sequence(&each))
                .admit()
                .unwrap()
                .manifest_digest,
            ..plan
        })
    );
}

#[test]
fn components_are_known_distinct_and_few() {
    let with = |ids: Vec<u8>| Forge {
        components: ids.into_iter().map(|id| Array(vec![Bytes(vec![id])])).collect(),
        ..Forge::default()
    };
    assert_eq!(refused(&with(vec![2])), UpdateError::ComponentUnknown);
    assert_eq!(refused(&with(vec![0, 0])), UpdateError::ComponentDuplicate);
    assert_eq!(refused(&with((0..9).collect())), UpdateError::Components);
    assert!(matches!(
        refused(&with(vec![])),
        UpdateError::Cose(CoseError::Encoding(_))
    ));
}

#[test]
fn an_image_fits_its_place() {
    let of = |size: i64| {
        let parameters = set(&[(3, digest(IMAGE).wrapped()), (14, Int(size))]);
        shared([identity(), vec![parameters]].concat())
    };
    assert!(of(4096).admit().is_ok());
    assert_eq!(refused(&of(4097)), UpdateError::Capacity);
    assert_eq!(refused(&of(0)), UpdateError::ImageSize);
    assert!(matches!(
        refused(&of(1 << 32)),
        UpdateError::Cose(CoseError::Encoding(_))
    ));
    // An empty image is one, if the digest agrees.
    assert!(shared([identity(), vec![image(b"")]].concat()).admit().is_ok());
}

#[test]
fn t17_work_is_bounded() {
    let nest = |depth: usize| {
        let inner = (1..depth).fold(vec![command(3)], |commands, _| vec![run(&commands)]);
        validate(&inner)
    };
    assert!(nest(4).admit().is_ok());
    assert_eq!(refused(&nest(5)), UpdateError::Depth);
    // The other commands of the manifest are 8.
    let many = |count| validate(&vec![command(3); count]);
    assert!(many(120).admit().is_ok());
    assert_eq!(refused(&many(121)), UpdateError::Commands);
    // Nested sequences multiply by the components, and are counted as they run.
    let inner = run(&vec![command(3); 40]);
    let each = [select(Bool(true)), run(&[inner.clone(), inner])];
    assert_eq!(
        refused(&Forge::two().with(7, sequence(&each))),
        UpdateError::Commands
    );
}

#[test]
fn an_alternative_that_wrote_may_not_fail() {
    let uri = set(&[(21, Text(URI))]);
    let wrote = vec![uri.clone(), command(21), command(14)];
    let forge = install(&[attempt(&[Some(wrote), Some(fetch())])]);
    assert_eq!(refused(&forge), UpdateError::WriteInFailedAlternative);
    let twice = [fetch(), fetch()].concat();
    assert_eq!(refused(&install(&twice)), UpdateError::WriteOrder);
}

#[test]
fn manifests_of_older_drafts_are_not_taken_for_new_ones() {
    let version = Forge {
        version: 2,
        ..Forge::default()
    };
    assert_eq!(refused(&version), UpdateError::Version);
    for key in [5, 6, 10, 11, 12, 13, 14, 15, 17, 18, 24] {
        let forge = Forge::default().with(key, sequence(&[command(3)]));
        assert!(
            matches!(refused(&forge), UpdateError::Cose(CoseError::Encoding(_))),
            "key {key}"
        );
    }
    let tag = |item| Forge::default().with(4, Tag(37, Box::new(item)));
    assert!(matches!(
        refused(&tag(Text("x"))),
        UpdateError::Cose(CoseError::Encoding(_))
    ));
}

#[test]
fn t1_an_envelope_with_any_bit_flipped_is_refused_or_means_the_same() {
    let mut with_payload = Forge {
        payload: Some(("#app", IMAGE.to_vec())),
        ..install(&[set(&[(21, Text("#app"))]), command(21), command(3)])
    };
    with_payload.elements = vec![(23, Bytes(vec![0xA0]))];
    let text = sha256(&Bytes(vec![0xA0]).encode());
    with_payload = with_payload.with(23, Array(vec![Int(-16), Bytes(text.to_vec())]));
    for forge in [Forge::default(), Forge::two(), with_payload] {
        let good = forge.envelope();
        let plan = admit(&good, Some(0), &policy()).unwrap();
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            match admit(&bad, Some(0), &policy()) {
                Err(_) => {}
                // An integrated payload is checked when it is installed: it differs in content only.
                Ok(other) if forge.payload.is_some() => {
                    assert_eq!(other.manifest_digest, plan.manifest_digest);
                    assert_eq!(other.components.len(), plan.components.len());
                }
                Ok(other) => assert_eq!(other, plan, "bit {bit}"),
            }
        }
        for len in 0..good.len() {
            assert!(admit(&good[..len], Some(0), &policy()).is_err(), "length {len}");
        }
    }
}
