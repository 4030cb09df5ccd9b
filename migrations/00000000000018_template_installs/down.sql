DROP TABLE template_installs;
