//! Templates: what is wrong with one is said all at once, and where each comes from.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use serde_json::json;
use titan_core::Error;
use titan_core::templates::{
    self, Filter, MANIFEST, MAX_FILE, MAX_FILES, Problem, Template, TemplateSource, built_in, in_folder, in_words,
    parse, render, unpack,
};
use titan_testkit::db::TestDb;

const GOOD: &str = "name: test/good\nversion: 1.0.0\ntitle: Good\ndescription: A template\nfiles: [{from: '**'}]\n";

fn files(paths: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
    paths.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect()
}

fn template(manifest: &str, paths: &[(&str, &str)]) -> Template {
    Template::new(manifest.to_owned(), files(paths)).unwrap_or_else(|problems| panic!("{}", in_words(&problems)))
}

fn lines(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(|problem| format!("{}: {}", problem.path, problem.message)).collect()
}

fn wrong(manifest: &str, paths: &[(&str, &str)]) -> Vec<String> {
    lines(&Template::new(manifest.to_owned(), files(paths)).expect_err("problems"))
}

fn connection(test: &TestDb) -> titan_core::db::PgConnection {
    test.connect()
}

#[test]
fn each_broken_manifest_is_told_all_that_is_wrong_with_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/broken_templates");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 30);
    let mut told = String::new();
    for path in paths {
        let problems = parse(&fs::read_to_string(&path).unwrap()).expect_err(&path.display().to_string());
        assert!(!problems.is_empty() && problems.len() <= 100);
        writeln!(told, "{}", path.file_name().unwrap().display()).unwrap();
        lines(&problems).iter().for_each(|line| writeln!(told, "  {line}").unwrap());
    }
    assert_snapshot!(told);
}

#[test]
fn files_and_manifest_must_fit() {
    let manifest = "name: test/broken\nversion: 1.0.0\ntitle: Broken\ndescription: x\n\
        inputs: {type: object, required: [title], properties: {title: {type: string}}}\n\
        files:\n- {from: README.md, render: true}\n- {from: 'src/*.ts', render: true}\n- {from: 'src/a.ts'}\n- {from: missing.txt}\n";
    let paths = [
        ("README.md", "# {{ title }}\n\n{{ titel }}\n"),
        ("src/a.ts", "const a = {% if title %}1;\n"),
        ("src/b.ts", "{% include 'secrets' %}"),
        ("src/c.ts", "\n{{ title|shout }}"),
        ("other.txt", ""),
        ("OTHER.txt", ""),
        (".git/hooks/pre-commit", "#!/bin/sh"),
    ];
    assert_snapshot!(wrong(manifest, &paths).join("\n"));
    assert_eq!(
        wrong(GOOD, &[]),
        ["files/: must hold at least one file, such as files/README.md", "/files/0/from: there is no file files/**"]
    );
    let mut many = BTreeMap::from([("large".to_owned(), vec![0; MAX_FILE + 1])]);
    many.extend((0..MAX_FILES).map(|number| (format!("f{number}"), Vec::new())));
    let told = lines(&Template::new(GOOD.to_owned(), many).unwrap_err());
    assert_eq!(
        told,
        [
            "files/: must hold at most 500 files, and holds 501",
            "files/large: must have at most 1048576 bytes, and has 1048577"
        ]
    );
    let binary = BTreeMap::from([("a".to_owned(), vec![0xff, 0xfe])]);
    let told = Template::new(GOOD.replace("{from: '**'}", "{from: '**', render: true}"), binary).unwrap_err();
    assert_eq!(lines(&told), ["files/a: is not text in UTF-8, and cannot be rendered; copy it as it is"]);
}

#[test]
fn inputs_fill_files_paths_and_checks_and_cannot_lead_out() {
    let manifest = "name: test/fill\nversion: 1.0.0\ntitle: Fill\ndescription: x\n\
        inputs: {type: object, required: [title], properties: {title: {type: string}, size: {type: integer, default: 3}}}\n\
        files:\n- {from: a.py, to: '{{ title }}/main.py', render: true, executable: true}\n- {from: raw.txt}\n\
        steps: {build: [{run: [make], env: {TITLE: '{{ title }}'}}]}\n\
        checks: [{file: {path: raw.txt, contains: '{{ title|html }}'}}]\n";
    let template = template(manifest, &[("a.py", "T = {{ title }}\nN = {{ size }}\n"), ("raw.txt", "{{ title }}")]);
    let rendered = render(&template, &json!({"title": "a \"b\" & c"})).unwrap_err();
    assert_eq!(
        lines(&rendered),
        [
            "files/a.py: would become \"a \\\"b\\\" & c/main.py\", and a path must not hold '\"': not every system can store it"
        ]
    );
    let rendered = render(&template, &json!({"title": "tea & co"})).unwrap();
    let text = |index: usize| String::from_utf8(rendered.files[index].bytes.clone()).unwrap();
    assert_eq!((rendered.files[0].path.as_str(), text(0).as_str()), ("raw.txt", "{{ title }}"));
    assert_eq!((rendered.files[1].path.as_str(), rendered.files[1].executable), ("tea & co/main.py", true));
    assert_eq!(text(1), "T = \"tea & co\"\nN = 3\n");
    assert_eq!(rendered.steps.build[0].env["TITLE"], "tea & co");
    assert!(serde_json::to_string(&rendered.checks).unwrap().contains("tea &amp; co"));
    for title in ["../x", "/etc", ".git", "a/../b", "nul", "a\u{0}b", ""] {
        let problems = render(&template, &json!({"title": title})).unwrap_err();
        assert!(problems[0].path == "files/a.py", "{title:?}: {problems:?}");
    }
    assert_eq!(
        lines(&render(&template, &json!({"size": "x"})).unwrap_err()),
        ["inputs/title: is needed", "inputs/size: must be a whole number, and is the text \"x\""]
    );
}

#[test]
fn two_files_must_not_become_one_and_none_grows_without_end() {
    let manifest = "name: test/clash\nversion: 1.0.0\ntitle: Clash\ndescription: x\n\
        inputs: {type: object, required: [name], properties: {name: {type: string}}}\n\
        files: [{from: a, to: '{{ name }}'}, {from: b}]\n";
    let clash = template(manifest, &[("a", ""), ("b", "")]);
    assert!(in_words(&render(&clash, &json!({"name": "B"})).unwrap_err()).contains("only in case"));
    assert!(in_words(&render(&clash, &json!({"name": "b"})).unwrap_err()).contains("is there twice"));
    assert!(in_words(&render(&clash, &json!({"name": "b/c"})).unwrap_err()).contains("is a file"));
    let manifest = "name: test/bomb\nversion: 1.0.0\ntitle: Bomb\ndescription: x\n\
        inputs: {type: object, required: [list], properties: {list: {type: array, items: {type: integer}}}}\n\
        files: [{from: '*', render: true}]\n";
    let loops = "{% for a in list %}{% for b in list %}{% for c in list %}X{% endfor %}{% endfor %}{% endfor %}";
    let bomb = template(manifest, &[("steps", loops), ("size", &"{{ list|json }}".repeat(3000))]);
    let list: Vec<u32> = (0..1000).collect();
    let told = lines(&render(&bomb, &json!({"list": list})).unwrap_err());
    assert_eq!(
        told,
        [
            "files/size: would become larger than 2097152 bytes",
            "files/steps:1: takes too many steps; a loop may be too long"
        ]
    );
}

#[test]
fn a_schema_that_would_take_for_ever_is_refused_at_once() {
    let parts: Vec<String> = (0..40)
        .map(|part| format!("a{part}: {{allOf: [{{$ref: '#/$defs/a{0}'}}, {{$ref: '#/$defs/a{0}'}}]}}", part + 1))
        .collect();
    let manifest = |parts: &str| {
        let inputs =
            format!("{{type: object, $defs: {{{parts}}}, properties: {{x: {{$ref: '#/$defs/a0', default: x}}}}}}");
        GOOD.replace("files:", &format!("inputs: {inputs}\nfiles:"))
    };
    let told = wrong(&manifest(&(parts.join(", ") + ", a40: {type: string}")), &[("a", "")]);
    assert_eq!(told, ["/inputs: must have at most 20 references that lead from one to the next"]);
    let told = wrong(&manifest(&(parts[..15].join(", ") + ", a15: {type: string}")), &[("a", "")]);
    assert!(told[0].starts_with("/inputs: must have at most 10000 values"), "{told:?}");
    let told = wrong(&manifest("a0: {items: {$ref: '#/$defs/a0'}}"), &[("a", "")]);
    assert!(told[0].starts_with("/inputs: must not lead back to itself, as #/$defs/a0 does"), "{told:?}");
    let told = wrong(&manifest("a0: {$dynamicRef: '#b'}, a1: {$anchor: b}"), &[("a", "")]);
    assert_eq!(told.len(), 2, "{told:?}");
    let told = wrong(&manifest("a0: {pattern: '((a{100}){100}){100}'}"), &[("a", "")]);
    assert!(told[0].starts_with("/inputs/$defs/a0/pattern: is not an expression"), "{told:?}");
}

#[test]
fn what_a_project_says_is_looked_at_only_as_far_as_that_takes_little() {
    let names: Vec<String> = (0..600).map(|name| format!("{{required: [n{name}]}}")).collect();
    let manifest = format!(
        "name: test/wide\nversion: 1.0.0\ntitle: Wide\ndescription: x\n\
         inputs: {{type: object, required: [x], properties: {{x: {{type: array, items: {{anyOf: [{}]}}}}}}}}\nfiles: [{{from: a}}]\n",
        names.join(", ")
    );
    let wide = template(&manifest, &[("a", "")]);
    let of = |values: usize| lines(&render(&wide, &json!({"x": vec![json!({}); values]})).unwrap_err());
    assert_eq!(of(2).len(), 2);
    assert_eq!(of(2_000), ["inputs: does not fit the template's schema, and is too large to say where"]);
    assert_eq!(of(15_000), ["inputs: must have fewer values for a schema of this size, and has 15002"]);
}

#[test]
fn a_file_is_written_in_the_language_of_what_it_becomes() {
    let manifest = "name: test/made\nversion: 1.0.0\ntitle: Made\ndescription: x\n\
        inputs: {type: object, required: [title], properties: {title: {type: string}}}\n\
        files: [{from: settings.tmpl, to: src/settings.py, render: true}, {from: a.py, to: '{{ title|slug }}.txt', render: true}]\n";
    let made = template(manifest, &[("settings.tmpl", "TITLE = {{ title }}\n"), ("a.py", "{{ title }}")]);
    let rendered = render(&made, &json!({"title": "0; import os"})).unwrap();
    let text = |path: &str| {
        let file = rendered.files.iter().find(|file| file.path == path).unwrap();
        String::from_utf8(file.bytes.clone()).unwrap()
    };
    assert_eq!(text("src/settings.py"), "TITLE = \"0; import os\"\n");
    assert_eq!(text("app-0-import-os.txt"), "0; import os");
}

#[test]
fn two_files_that_go_to_one_path_are_found_without_inputs() {
    let manifest =
        GOOD.replace("{from: '**'}", "{from: gitignore, to: .gitignore}, {from: b, to: '{{ name }}'}, {from: '**'}");
    let told = wrong(
        &manifest
            .replace("files:", "inputs: {type: object, required: [name], properties: {name: {type: string}}}\nfiles:"),
        &[("gitignore", ""), (".gitignore", ""), ("b", "")],
    );
    assert_eq!(told, ["files/.gitignore: is there twice; each path can be that of one file only"]);
}

#[test]
fn the_largest_template_is_read_back_as_it_was_packed() {
    // Long names, and sizes that leave most of their last block empty.
    let folder = format!("{}/{}", "f".repeat(120), "g".repeat(110));
    let size = titan_core::templates::MAX_TOTAL / MAX_FILES / 512 * 512 + 1;
    let paths: BTreeMap<String, Vec<u8>> =
        (0..MAX_FILES).map(|number| (format!("{folder}/{number}"), vec![b'x'; size.min(16_700)])).collect();
    let large = Template::new(GOOD.to_owned(), paths).unwrap();
    assert_eq!(unpack(&large.archive()).unwrap().sha256(), large.sha256());
}

#[test]
fn an_archive_is_read_in_each_form_and_nothing_else_is() {
    let template = template(GOOD, &[("README.md", "# {{ x }}"), ("src/a.txt", "a")]);
    let tar = template.archive();
    assert_eq!(unpack(&tar).unwrap().sha256(), template.sha256(), "the same bytes again");
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gz, &tar).unwrap();
    assert_eq!(unpack(&gz.finish().unwrap()).unwrap().archive(), tar);
    let packed = |entries: &[(&str, tar::EntryType, &str)]| {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, kind, text) in entries {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(*kind);
            header.set_size(text.len() as u64);
            // As whoever means harm writes it: the library would refuse some of these paths.
            header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
            if kind.is_symlink() {
                header.set_link_name("/etc/passwd").unwrap();
            }
            header.set_cksum();
            builder.append(&header, text.as_bytes()).unwrap();
        }
        builder.into_inner().unwrap()
    };
    use tar::EntryType::{Fifo, Link, Regular, Symlink};
    let nested = packed(&[
        ("repo-1.0/template.yaml", Regular, GOOD),
        ("repo-1.0/README", Regular, "x"),
        ("repo-1.0/files/a", Regular, "a"),
    ]);
    assert_eq!(unpack(&nested).unwrap().listing().len(), 1);
    let told = |entries: &[(&str, tar::EntryType, &str)]| lines(&unpack(&packed(entries)).unwrap_err());
    assert_eq!(
        told(&[("x", Regular, "")]),
        ["archive: has no template.yaml at its top or in the one folder that it holds"]
    );
    assert_eq!(
        told(&[
            ("template.yaml", Regular, GOOD),
            ("files/a", Symlink, ""),
            ("files/b", Link, ""),
            ("files/c", Fifo, "")
        ]),
        [
            "files/a: is a link; a template holds files and folders only",
            "files/b: is a link; a template holds files and folders only",
            "files/c: is neither a file nor a folder",
        ]
    );
    assert_eq!(
        told(&[("template.yaml", Regular, GOOD), ("files/../../etc/x", Regular, ""), ("files//etc/x", Regular, "")])[0],
        "files/../../etc/x: must not hold \"..\" as a folder"
    );
    assert_eq!(
        told(&[("template.yaml", Regular, GOOD), ("files/a", Regular, "1"), ("files/a", Regular, "2")]),
        ["files/a: is in the archive twice"]
    );
    assert!(in_words(&unpack(b"not a tar").unwrap_err()).starts_with("archive: "));
    assert!(in_words(&unpack(&[0x1f, 0x8b, 1]).unwrap_err()).starts_with("archive: is not a whole .tar.gz"));
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut bomb, &vec![0; 64 << 20]).unwrap();
    assert!(in_words(&unpack(&bomb.finish().unwrap()).unwrap_err()).contains("when it is unpacked"));
}

fn lay(root: &Path, folder: &str, manifest: &str) {
    let folder = root.join(folder);
    fs::create_dir_all(folder.join("files")).unwrap();
    fs::write(folder.join(MANIFEST), manifest).unwrap();
    fs::write(folder.join("files/a.txt"), "a").unwrap();
}

#[test]
fn the_catalogue_says_what_counts_and_what_is_shadowed() {
    let test = TestDb::new();
    let mut connection = connection(&test);
    let root = tempfile::tempdir().unwrap();
    let site = |version: &str| GOOD.replace("test/good", "static-site").replace("1.0.0", version);
    lay(root.path(), "site", &site("1.0.0"));
    lay(root.path(), "deep/er/site", &site("0.9.0"));
    lay(root.path(), "deep/er/too/far", &site("5.0.0"));
    lay(root.path(), "next", &site("2.0.0-rc.1"));
    lay(root.path(), "broken", "name: x");
    std::os::unix::fs::symlink(root.path().join("next"), root.path().join("link")).unwrap();
    lay(root.path(), "leak", GOOD);
    std::os::unix::fs::symlink("/etc/passwd", root.path().join("leak/files/passwd")).unwrap();

    let installed = template(&site("1.0.0"), &[("installed.txt", "")]);
    assert!(!templates::install(&mut connection, &installed, "a test").unwrap());
    assert!(templates::install(&mut connection, &installed, "a test").unwrap(), "the same again changes nothing");
    let other = template(&site("1.0.0"), &[("other.txt", "")]);
    assert!(
        matches!(templates::install(&mut connection, &other, "a test"), Err(Error::Conflict(why)) if why.contains("higher version"))
    );

    let catalogue = templates::catalogue(&mut connection, Some(root.path())).unwrap();
    let (entry, offer) = catalogue.find("static-site").unwrap();
    assert_eq!((offer.version.as_str(), offer.source), ("1.0.0", TemplateSource::Installed));
    let told: Vec<String> = entry
        .versions
        .iter()
        .map(|offer| format!("{} {} {:?}", offer.version, offer.source, offer.shadowed_by))
        .collect();
    assert_eq!(
        told,
        [
            "1.0.0 installed None",
            "1.0.0 folder Some(Installed)",
            "1.0.0 built_in Some(Installed)",
            "0.9.0 folder None",
            "2.0.0-rc.1 folder None",
        ]
    );
    assert_eq!(catalogue.find("static-site@2.0.0-rc.1").unwrap().1.origin.unwrap(), "next");
    let broken: Vec<&str> = catalogue.broken.iter().map(|broken| broken.folder.as_str()).collect();
    assert_eq!(broken, ["broken", "leak"]);
    for (reference, says) in [
        ("static-site@7.0.0", "its versions are 1.0.0, 0.9.0, 2.0.0-rc.1"),
        ("nothing/here", "there are api-service, cli, "),
        ("static-site@1", "semantic versioning"),
        ("Static Site", "words of a-z"),
    ] {
        let error = catalogue.find(reference).unwrap_err();
        assert!(matches!(error, Error::UnknownTemplate { .. }) && error.to_string().contains(says), "{error}");
    }
    let found = |q: &str, tag: Option<&str>| {
        let filter = Filter { q: Some(q.to_owned()), tag: tag.map(str::to_owned) };
        let page = catalogue.list(&filter, None, None).unwrap();
        page.items.into_iter().map(|entry| entry.name).collect::<Vec<_>>()
    };
    assert_eq!(found("RUST terminal", None), ["cli"]);
    assert_eq!(found("", Some("rust")), ["api-service", "cli"]);
    let first = catalogue.list(&Filter::default(), Some(2), None).unwrap();
    assert_eq!(first.next_cursor.as_deref(), Some("cli"));
    let rest = catalogue.list(&Filter::default(), None, first.next_cursor.as_deref()).unwrap();
    assert_eq!(rest.items[0].name, "persona/basic");
    assert!(catalogue.list(&Filter::default(), Some(0), None).is_err());

    let resolved = templates::resolve(&mut connection, Some(root.path()), "static-site").unwrap();
    assert_eq!(resolved.sha256(), installed.sha256());
    assert!(in_folder(root.path(), "deep/er/too/far").is_ok(), "what is named is read, however deep");
    for name in ["link", "../x", "/etc", "nothing"] {
        assert!(in_folder(root.path(), name).is_err(), "{name}");
    }
    let missing = templates::catalogue(&mut connection, Some(&root.path().join("missing"))).unwrap();
    assert!(in_words(&missing.broken[0].problems).contains("TEMPLATES_DIR"));
}

#[test]
fn a_limit_of_the_folder_is_told_and_not_kept_silent() {
    let test = TestDb::new();
    let root = tempfile::tempdir().unwrap();
    for number in 0..201 {
        lay(root.path(), &format!("t{number:03}"), &GOOD.replace("test/good", &format!("test/t{number}")));
    }
    let found = templates::catalogue(&mut connection(&test), Some(root.path())).unwrap();
    let told = &found.broken[0].problems[0].message;
    assert!(found.broken.len() == 1 && told.contains("more than 200 templates; that in t200 and"), "{told}");
    assert!(found.find("test/t199").is_ok() && found.find("test/t200").is_err());
    let loaded = found.load(&mut connection(&test), "test/t7").unwrap();
    assert_eq!(loaded.sha256(), template(&GOOD.replace("test/good", "test/t7"), &[("a.txt", "a")]).sha256());
    fs::write(root.path().join("t007/files/a.txt"), "y").unwrap();
    let changed = found.load(&mut connection(&test), "test/t7").unwrap_err();
    assert!(changed.to_string().contains("has just been changed; ask again"), "{changed}");
}

#[test]
fn what_a_run_began_with_stays_what_it_was() {
    let test = TestDb::new();
    let mut connection = connection(&test);
    let before = templates::resolve(&mut connection, None, "persona/basic").unwrap();
    templates::keep(&mut connection, &before).unwrap();
    templates::keep(&mut connection, &before).unwrap();
    let newer = GOOD.replace("test/good", "persona/basic").replace("1.0.0", "9.0.0");
    templates::install(&mut connection, &template(&newer, &[("a", "")]), "a test").unwrap();
    assert_eq!(templates::resolve(&mut connection, None, "persona/basic").unwrap().reference(), "persona/basic@9.0.0");
    let kept = templates::kept(&mut connection, &before.sha256()).unwrap();
    assert_eq!((kept.reference().as_str(), kept.archive()), ("persona/basic@1.0.0", before.archive()));
    assert!(templates::kept(&mut connection, &[0; 32]).unwrap_err().to_string().contains("was not kept"));
    test.execute("UPDATE template_archives SET archive = substr(archive, 1, 600) || '\\x00'::bytea");
    assert!(templates::kept(&mut connection, &before.sha256()).is_err(), "what is damaged is not used");
}

#[test]
fn all_shipped_templates_can_be_read_and_are_named_by_their_folder() {
    let names: Vec<&str> = built_in().iter().map(|template| template.manifest.name.as_str()).collect();
    assert_eq!(names, ["api-service", "cli", "persona/basic", "python-service", "static-site", "web-app"]);
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    for template in built_in() {
        let read =
            in_folder(&shipped, &template.manifest.name).unwrap_or_else(|problems| panic!("{}", in_words(&problems)));
        assert_eq!(read.sha256(), template.sha256(), "{}", template.manifest.name);
        assert!(template.listing().iter().any(|file| file.path == "README.md" && file.rendered));
        assert!(!template.manifest.checks.is_empty());
    }
}
