DROP TABLE templates, template_archives;
