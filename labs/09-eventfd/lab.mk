TITLE_09 = Notifications that cost nothing: ioeventfd, irqfd, io_uring
