"""`python3 -m service`."""

from service.server import main

main()
